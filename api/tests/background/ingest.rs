//! Decisions reach the database once, whatever happens in between.

use ringfence_api::background::Found;
use ringfence_api::background::ingest::Ingest;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};

use crate::dynamo::Dynamo;
use crate::world::{REGION, World};

fn record(instance_arn: &str, contact_id: &str, outcome: &str) -> Value {
    json!({
        "schema": 1, "instance_arn": instance_arn, "instance_id": "ins_x", "tenant_id": "ten_x",
        "contact_id": contact_id, "at": "2026-01-01T00:00:00.123Z", "outcome": outcome, "mode": "enforce",
        "customer_number": "+12065550100", "policy_id": "none", "policy_version": 0, "revision": 1,
        "decided_in_ms": 3,
    })
}

fn ingest(world: &World, dynamo: &Dynamo) -> Ingest {
    Ingest::new(
        world.store.clone(),
        &dynamo.aws,
        REGION,
        world.clock.clone(),
        world.ids.clone(),
    )
}

async fn drain(ingest: &mut Ingest) {
    for _ in 0..20 {
        if ingest.look().await.expect("a look") == Found::Nothing {
            return;
        }
    }
    panic!("the stream never ends");
}

async fn outcomes(pool: &PgPool) -> Vec<(String, String)> {
    sqlx::query("select contact_id, outcome from decisions order by contact_id")
        .fetch_all(pool)
        .await
        .expect("rows")
        .into_iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect()
}

fn pair(contact: &str, outcome: &str) -> (String, String) {
    (contact.to_owned(), outcome.to_owned())
}

#[sqlx::test(migrations = "../migrations")]
async fn the_last_record_of_an_attempt_is_what_stays(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let (_, arn) = world.instance().await;
    let arn = arn.to_string();
    let put = async |contact: &str, outcome: &str| {
        let record = record(&arn, contact, outcome).to_string();
        dynamo.put_decision(&arn, contact, &record).await;
    };
    put("a", "allowed").await;
    put("b", "allowed").await;
    put("b", "denied").await;
    let mut first = ingest(&world, &dynamo);
    drain(&mut first).await;
    assert_eq!(
        outcomes(&pool).await,
        [pair("a", "allowed"), pair("b", "denied")]
    );
    put("a", "denied").await;
    drain(&mut first).await;
    assert_eq!(
        outcomes(&pool).await,
        [pair("a", "denied"), pair("b", "denied")]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_process_that_starts_anew_goes_on_where_the_last_one_stood(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let (_, arn) = world.instance().await;
    let arn = arn.to_string();
    dynamo
        .put_decision(&arn, "a", &record(&arn, "a", "allowed").to_string())
        .await;
    drain(&mut ingest(&world, &dynamo)).await;
    sqlx::query("delete from decisions")
        .execute(&pool)
        .await
        .expect("deleted");
    dynamo
        .put_decision(&arn, "b", &record(&arn, "b", "allowed").to_string())
        .await;
    drain(&mut ingest(&world, &dynamo)).await;
    assert_eq!(
        outcomes(&pool).await,
        [pair("b", "allowed")],
        "only what came after the checkpoint is read"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn two_processes_at_once_lose_nothing_and_take_nothing_twice(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let (_, arn) = world.instance().await;
    let arn = arn.to_string();
    let (mut one, mut two) = (ingest(&world, &dynamo), ingest(&world, &dynamo));
    for round in 0..10 {
        for number in 0..5 {
            let contact = format!("{round}-{number}");
            dynamo
                .put_decision(
                    &arn,
                    &contact,
                    &record(&arn, &contact, "allowed").to_string(),
                )
                .await;
        }
        let (first, second) = tokio::join!(one.look(), two.look());
        first.expect("a look");
        second.expect("a look");
    }
    drain(&mut one).await;
    drain(&mut two).await;
    assert_eq!(outcomes(&pool).await.len(), 50);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_record_that_is_not_readable_or_of_nobody_keeps_no_other_back(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let (_, arn) = world.instance().await;
    let arn = arn.to_string();
    let stranger = "arn:aws:connect:us-east-1:444455556666:instance/stranger";
    dynamo.put_decision(&arn, "broken", "{").await;
    dynamo
        .put_decision(stranger, "x", &record(stranger, "x", "allowed").to_string())
        .await;
    dynamo
        .put_decision(&arn, "good", &record(&arn, "good", "allowed").to_string())
        .await;
    drain(&mut ingest(&world, &dynamo)).await;
    assert_eq!(outcomes(&pool).await, [pair("good", "allowed")]);
}
