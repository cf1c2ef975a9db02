//! Decisions reach the database once, whatever happens in between.

use ringfence_api::background::Found;
use ringfence_api::background::ingest::Ingest;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};

use crate::dynamo::Dynamo;
use crate::world::{REGION, World};

/// Where attempts happen.
pub struct Place {
    tenant: String,
    pub instance: String,
    pub arn: String,
}

impl Place {
    pub async fn new(world: &World) -> Self {
        let (instance, arn) = world.instance().await;
        Self {
            tenant: world.tenant.to_string(),
            instance: instance.to_string(),
            arn: arn.to_string(),
        }
    }

    pub fn record(&self, contact_id: &str, outcome: &str) -> Value {
        json!({
            "schema": 1, "instance_arn": self.arn, "instance_id": self.instance, "tenant_id": self.tenant,
            "contact_id": contact_id, "at": "2026-01-01T00:00:00.123Z", "outcome": outcome, "mode": "enforce",
            "customer_number": "+12065550100", "policy_id": "none", "policy_version": 0, "revision": 1,
            "decided_in_ms": 3,
        })
    }
}

pub fn ingest(world: &World, dynamo: &Dynamo) -> Ingest {
    Ingest::new(
        world.store.clone(),
        &dynamo.aws,
        REGION,
        world.clock.clone(),
        world.ids.clone(),
    )
}

pub async fn drain(ingest: &mut Ingest) {
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
    let place = Place::new(&world).await;
    let arn = place.arn.clone();
    let put = async |contact: &str, outcome: &str| {
        let record = place.record(contact, outcome).to_string();
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
    let place = Place::new(&world).await;
    let arn = place.arn.clone();
    dynamo
        .put_decision(&arn, "a", &place.record("a", "allowed").to_string())
        .await;
    drain(&mut ingest(&world, &dynamo)).await;
    sqlx::query("delete from decisions")
        .execute(&pool)
        .await
        .expect("deleted");
    dynamo
        .put_decision(&arn, "b", &place.record("b", "allowed").to_string())
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
    let place = Place::new(&world).await;
    let arn = place.arn.clone();
    let (mut one, mut two) = (ingest(&world, &dynamo), ingest(&world, &dynamo));
    for round in 0..10 {
        for number in 0..5 {
            let contact = format!("{round}-{number}");
            dynamo
                .put_decision(
                    &arn,
                    &contact,
                    &place.record(&contact, "allowed").to_string(),
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
    let place = Place::new(&world).await;
    let arn = place.arn.clone();
    let stranger = "arn:aws:connect:us-east-1:444455556666:instance/stranger";
    dynamo.put_decision(&arn, "broken", "{").await;
    dynamo
        .put_decision(
            stranger,
            "x",
            &Place {
                arn: stranger.to_owned(),
                ..Place::new(&world).await
            }
            .record("x", "allowed")
            .to_string(),
        )
        .await;
    dynamo
        .put_decision(&arn, "good", &place.record("good", "allowed").to_string())
        .await;
    drain(&mut ingest(&world, &dynamo)).await;
    assert_eq!(outcomes(&pool).await, [pair("good", "allowed")]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_record_that_the_database_refuses_keeps_no_other_back(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let place = Place::new(&world).await;
    let mut state = 1_u64;
    let endless: String = (0..20_000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(b'a' + (state >> 60) as u8)
        })
        .collect();
    let put = async |key: &str, record: Value| {
        dynamo
            .put_decision(&place.arn, key, &record.to_string())
            .await
    };
    put("before", place.record("before", "allowed")).await;
    put("endless", place.record(&endless, "allowed")).await;
    put("after", place.record("after", "denied")).await;
    drain(&mut ingest(&world, &dynamo)).await;
    assert_eq!(
        outcomes(&pool).await,
        [pair("after", "denied"), pair("before", "allowed")]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn whatever_was_dialled_can_be_stored(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let place = Place::new(&world).await;
    let mut record = place.record("odd", "allowed");
    record["customer_number"] = json!("12\u{0}34");
    dynamo
        .put_decision(&place.arn, "odd", &record.to_string())
        .await;
    drain(&mut ingest(&world, &dynamo)).await;
    assert_eq!(outcomes(&pool).await, [pair("odd", "allowed")]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_record_under_another_tenants_name_is_not_stored(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let place = Place::new(&world).await;
    let other = Place::new(&world).await;
    let mut foreign = place.record("foreign", "allowed");
    foreign["tenant_id"] = json!("ten_00000000000070008000000000000000");
    let mut moved = place.record("moved", "allowed");
    moved["instance_id"] = json!(other.instance);
    for (contact, record) in [("foreign", foreign), ("moved", moved)] {
        dynamo
            .put_decision(&place.arn, contact, &record.to_string())
            .await;
    }
    drain(&mut ingest(&world, &dynamo)).await;
    assert_eq!(outcomes(&pool).await, []);
}

/// Without this, the calls that went out uncounted would be the ones that nobody sees.
#[sqlx::test(migrations = "../migrations")]
async fn an_attempt_for_which_no_policy_was_readable_is_the_verified_owners(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let place = Place::new(&world).await;
    let stranger = "arn:aws:connect:us-east-1:444455556666:instance/stranger";
    for (arn, contact) in [(place.arn.as_str(), "ours"), (stranger, "nobodys")] {
        let mut record = place.record(contact, "failed_open");
        record["tenant_id"] = json!("");
        record["instance_id"] = json!("");
        record["instance_arn"] = json!(arn);
        dynamo.put_decision(arn, contact, &record.to_string()).await;
    }
    let mut half = place.record("half", "failed_open");
    half["tenant_id"] = json!("");
    dynamo
        .put_decision(&place.arn, "half", &half.to_string())
        .await;
    drain(&mut ingest(&world, &dynamo)).await;
    assert_eq!(outcomes(&pool).await, [pair("ours", "failed_open")]);
    let owner: (uuid::Uuid, uuid::Uuid) =
        sqlx::query_as("select tenant_id, instance_id from decisions")
            .fetch_one(&pool)
            .await
            .expect("a row");
    assert_eq!(owner.0, world.tenant.0);
    assert_eq!(format!("ins_{}", owner.1.simple()), place.instance);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_process_that_fell_behind_goes_on_from_the_common_position(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let place = Place::new(&world).await;
    let put = async |contact: &str| {
        let record = place.record(contact, "allowed").to_string();
        dynamo.put_decision(&place.arn, contact, &record).await;
    };
    let (mut behind, mut ahead) = (ingest(&world, &dynamo), ingest(&world, &dynamo));
    put("a").await;
    drain(&mut behind).await;
    put("b").await;
    drain(&mut ahead).await;
    sqlx::query("delete from decisions")
        .execute(&pool)
        .await
        .expect("deleted");
    drain(&mut behind).await;
    assert_eq!(outcomes(&pool).await, [], "b was taken already");
}

async fn usage(pool: &PgPool) -> Vec<(String, String, i64)> {
    sqlx::query_as(
        "select month::text, outcome, decisions from usage_decisions where decisions <> 0 order by 1, 2",
    )
    .fetch_all(pool)
    .await
    .expect("rows")
}

/// As if the position had been lost: everything in the stream is read once more.
pub async fn forget_position(pool: &PgPool) {
    sqlx::query("delete from stream_checkpoints")
        .execute(pool)
        .await
        .expect("deleted");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_attempt_is_counted_once_by_how_it_ended_whatever_is_repeated(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let place = Place::new(&world).await;
    let arn = place.arn.clone();
    let put = async |contact: &str, outcome: &str, at: &str| {
        let mut record = place.record(contact, outcome);
        record["at"] = json!(at);
        dynamo
            .put_decision(&arn, contact, &record.to_string())
            .await;
    };
    // The last moment of a month in UTC, and the first of the next one.
    put("a", "allowed", "2025-12-31T23:59:59.999Z").await;
    put("b", "allowed", "2026-01-01T00:00:00Z").await;
    put("c", "allowed", "2026-01-01T00:00:01Z").await;
    drain(&mut ingest(&world, &dynamo)).await;
    let count =
        |month: &str, outcome: &str, decisions| (month.to_owned(), outcome.to_owned(), decisions);
    assert_eq!(
        usage(&pool).await,
        [
            count("2025-12-01", "allowed", 1),
            count("2026-01-01", "allowed", 2)
        ]
    );
    put("c", "denied", "2026-01-01T00:00:01Z").await;
    for _ in 0..2 {
        drain(&mut ingest(&world, &dynamo)).await;
        assert_eq!(
            usage(&pool).await,
            [
                count("2025-12-01", "allowed", 1),
                count("2026-01-01", "allowed", 1),
                count("2026-01-01", "denied", 1)
            ]
        );
        forget_position(&pool).await;
    }
}
