//! Webhooks are told of calls once, whatever is repeated.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::described::is_as_described;
use crate::dynamo::Dynamo;
use crate::ingest::{Place, drain, forget_position, ingest};
use crate::world::World;

async fn wanted(pool: &PgPool, event: &str) {
    sqlx::query(
        "insert into webhook_endpoints (tenant_id, id, url, description, events, customer_numbers, state, secret,
             created_at, failures, next_turn_at)
         select id, gen_random_uuid(), 'https://x/', '', array[$1], 'masked', 'enabled', 'x', created_at, 0, created_at
         from tenants",
    )
    .bind(event)
    .execute(pool)
    .await
    .expect("a webhook");
}

/// What has been put into the outbox, by what it is about.
async fn told(pool: &PgPool) -> Vec<Value> {
    let events: Vec<(String, Value)> = sqlx::query_as(
        "select e.kind, e.data from webhook_deliveries d join webhook_events e on e.id = d.event_id
         order by e.data ->> 'contact_id', e.subject",
    )
    .fetch_all(pool)
    .await
    .expect("rows");
    let told = events.into_iter().map(|(kind, data)| {
        is_as_described(&kind, &data);
        data
    });
    told.collect()
}

async fn decision_id(pool: &PgPool, contact: &str) -> String {
    let id: uuid::Uuid = sqlx::query_scalar("select id from decisions where contact_id = $1")
        .bind(contact)
        .fetch_one(pool)
        .await
        .expect("a decision");
    format!("dec_{}", id.simple())
}

#[sqlx::test(migrations = "../migrations")]
async fn a_denial_is_told_of_once_whatever_is_repeated(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let place = Place::new(&world).await;
    let put = async |contact: &str, outcome: &str| {
        let record = place.record(contact, outcome).to_string();
        dynamo.put_decision(&place.arn, contact, &record).await;
    };
    put("before", "denied").await;
    drain(&mut ingest(&world, &dynamo)).await;
    wanted(&pool, "call.denied").await;
    put("a", "allowed").await;
    put("b", "denied").await;
    put("b", "denied").await;
    drain(&mut ingest(&world, &dynamo)).await;
    forget_position(&pool).await;
    put("b", "denied").await;
    drain(&mut ingest(&world, &dynamo)).await;
    let told = told(&pool).await;
    let [denial] = &told[..] else {
        panic!("told {} times", told.len());
    };
    assert_eq!(denial["contact_id"], "b");
    assert_eq!(denial["customer_number"], "+12065550100");
    assert_eq!(denial["instance_id"], place.instance);
    assert_eq!(denial["decision_id"], decision_id(&pool, "b").await);
}

fn rule(id: &str, count: u32, near: bool) -> Value {
    let mut rule = json!({ "rule_id": id, "mode": "enforce", "count": count, "limit": 10 });
    if near {
        rule["near"] = json!(true);
    }
    rule
}

#[sqlx::test(migrations = "../migrations")]
async fn a_limit_that_comes_near_is_told_of_once_per_decision_and_rule(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let place = Place::new(&world).await;
    let put = async |contact: &str, rules: Value| {
        let mut record = place.record(contact, "allowed");
        record["rules"] = rules;
        let record = record.to_string();
        dynamo.put_decision(&place.arn, contact, &record).await;
    };
    let look = async || drain(&mut ingest(&world, &dynamo)).await;
    let one_near = || json!([rule("day", 7, true), rule("hour", 2, false)]);
    let both_near = || json!([rule("day", 7, true), rule("hour", 7, true)]);
    put("before", one_near()).await;
    look().await;
    wanted(&pool, "limit.near").await;
    // As a limiter writes them: the first word beside the counting, in another batch or the same one.
    put("a", json!([])).await;
    look().await;
    put("a", one_near()).await;
    put("b", json!([])).await;
    put("b", both_near()).await;
    put("far", json!([rule("day", 6, false)])).await;
    look().await;
    put("a", one_near()).await;
    put("a", both_near()).await;
    put("before", one_near()).await;
    look().await;
    forget_position(&pool).await;
    look().await;
    let (a, b) = (decision_id(&pool, "a").await, decision_id(&pool, "b").await);
    let told = told(&pool).await;
    let by: Vec<(&Value, &Value)> = told
        .iter()
        .map(|data| (&data["decision_id"], &data["rule_id"]))
        .collect();
    let (a, b, day, hour) = (json!(a), json!(b), json!("day"), json!("hour"));
    assert_eq!(by, [(&a, &day), (&a, &hour), (&b, &day), (&b, &hour)]);
    let mut nearness = told[0].clone();
    nearness
        .as_object_mut()
        .expect("an object")
        .retain(|_, value| !value.is_null());
    assert_eq!(
        nearness,
        json!({
            "decision_id": a, "instance_id": place.instance, "contact_id": "a", "at": "2026-01-01T00:00:00.123Z",
            "rule_id": "day", "mode": "enforce", "count": 8, "limit": 10, "customer_number": "+12065550100",
            "policy_id": "none", "policy_version": 0,
        }),
        "the count has this call in it"
    );
}
