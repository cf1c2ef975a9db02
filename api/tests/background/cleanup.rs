//! What nobody may ask for any more goes; what somebody may, stays.

use ringfence_api::background::Found;
use ringfence_api::background::cleanup::Cleanup;
use sqlx::PgPool;

use crate::world::World;

/// Everybody signed in last on the day that their name tells.
const PEOPLE: &str = "
    insert into people (id, issuer, subject, email_verified, created_at, signed_in_at)
        select gen_random_uuid(), 'https://id.example', name, true, day, day
        from (values ('gone', timestamptz '2025-11-01'), ('gone with a session that lay idle', '2025-11-01'),
            ('a member', '2025-11-01'), ('signed in', '2025-11-01'), ('here lately', '2025-12-20')) as them (name, day);
    insert into members (tenant_id, id, person_id, role, created_at)
        select t.id, gen_random_uuid(), p.id, 'viewer', p.created_at from tenants t, people p where p.subject = 'a member';
    insert into sessions (id, person_id, secret_sha256, is_operator, created_at, used_at, expires_at)
        select gen_random_uuid(), id, subject::bytea, false, signed_in_at,
            case subject when 'signed in' then timestamptz '2026-01-01' else signed_in_at end, '2026-02-01'
        from people where subject in ('signed in', 'gone with a session that lay idle')";

#[sqlx::test(migrations = "../migrations")]
async fn people_are_forgotten_a_month_after_the_last_that_tied_them_to_us(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    sqlx::raw_sql(PEOPLE).execute(&pool).await.expect("people");
    let cleanup = Cleanup {
        store: world.store.clone(),
        clock: world.clock.clone(),
    };
    assert_eq!(cleanup.look().await.expect("a look"), Found::Work);
    assert_eq!(cleanup.look().await.expect("a look"), Found::Nothing);
    let left: Vec<String> = sqlx::query_scalar("select subject from people order by subject")
        .fetch_all(&pool)
        .await
        .expect("rows");
    assert_eq!(left, ["a member", "here lately", "signed in"]);
}
