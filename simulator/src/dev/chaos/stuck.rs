//! What a slot's database says of a run that does not end: who works on it, what is due when, and how long requests wait.

use sqlx::{Connection, PgConnection};

const WORK_IN_HAND: &str = "select json_build_object(
    'now', clock_timestamp(),
    'installations', (
        select json_agg(json_build_object(
            'generation', generation, 'observed_generation', observed_generation, 'attempts', attempts,
            'next_due_at', next_due_at, 'lease_expires_at', lease_expires_at, 'looked', looked, 'to_look', to_look))
        from installations where next_due_at < 'infinity' and state <> 'uninstalled'),
    'steps', (
        select json_agg(json_build_object('name', name, 'status', status, 'detail', detail) order by position)
        from (select * from installation_steps order by at desc, position desc limit 12) last),
    'paces', (select json_agg(p) from request_paces p where next_at > clock_timestamp() - interval '1 minute')
)::text";

pub async fn work_in_hand(database_url: &str) -> String {
    match asked(database_url).await {
        Ok(told) => told,
        Err(err) => format!("(its database does not say more: {err})"),
    }
}

async fn asked(database_url: &str) -> sqlx::Result<String> {
    let mut connection = PgConnection::connect(database_url).await?;
    sqlx::query_scalar(WORK_IN_HAND)
        .fetch_one(&mut connection)
        .await
}
