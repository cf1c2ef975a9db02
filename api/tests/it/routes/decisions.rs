//! Decisions as they came back: newest first, filtered, each with its rules.

use jiff::{SignedDuration, Timestamp};
use ringfence_api::domain::ids::DecisionId;
use ringfence_api::store::{Checkpoint, NewDecision, ShardName};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::harness::{ARN, Cast, NOW, World};

fn record(cast: &Cast, instance: &str, policy_id: &str, number: i64) -> Value {
    let at: Timestamp = NOW.parse().expect("a time");
    let at = at + SignedDuration::from_secs(number);
    let mut record = json!({
        "schema": 1, "instance_arn": ARN, "instance_id": instance, "tenant_id": cast.id,
        "contact_id": format!("contact-{number}"), "at": at, "outcome": "allowed", "mode": "enforce",
        "customer_number": "+13125550100", "policy_id": policy_id, "policy_version": 1, "revision": 1,
        "decided_in_ms": 7,
    });
    if number % 2 == 1 {
        record["outcome"] = json!("denied");
        record["reason"] = json!("customer");
        record["rule_id"] = json!("customer-per-day");
        record["retry_at"] = json!(at + SignedDuration::from_millis(59_001));
        record["rules"] = json!([{
            "rule_id": "customer-per-day", "mode": "enforce", "count": 3, "limit": 3, "denied": true,
        }]);
        record["stop"] = json!("stopped");
        record["notice"] = json!("sent");
    }
    record
}

/// Brings `count` decisions in, the odd ones denied.
async fn ingest(world: &World, cast: &Cast, instance: &str, policy_id: &str, count: i64) {
    let decisions: Vec<NewDecision> = (0..count)
        .map(|number| {
            let record = record(cast, instance, policy_id, number);
            let is_denied = number % 2 == 1;
            NewDecision {
                id: DecisionId(world.ids.uuid()),
                sequence_number: number.to_string(),
                owner: Some((
                    cast.id.parse().expect("a tenant's id"),
                    instance.parse().expect("an instance's id"),
                )),
                instance_arn: ARN.to_owned(),
                contact_id: format!("contact-{number}"),
                at: record["at"]
                    .as_str()
                    .expect("a time")
                    .parse()
                    .expect("a time"),
                outcome: if is_denied { "denied" } else { "allowed" },
                rule_id: is_denied.then(|| "customer-per-day".to_owned()),
                record,
                notice: None,
                told_agent: None,
                events: Vec::new(),
            }
        })
        .collect();
    let shard = ShardName {
        region: "us-east-1".to_owned(),
        stream_arn: "stream".to_owned(),
        shard_id: "shard".to_owned(),
    };
    let checkpoint = Checkpoint {
        sequence_number: Some("1".to_owned()),
        finished: false,
    };
    world
        .store
        .decisions_ingest(
            &shard,
            &Checkpoint::default(),
            &checkpoint,
            &decisions,
            false,
            world.clock.now(),
        )
        .await
        .expect("stored");
}

pub(super) struct Scene {
    pub world: World,
    pub cast: Cast,
    pub instance: String,
}

pub(super) async fn scene(pool: PgPool, count: i64) -> Scene {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let policy = json!({ "rules": [{
        "id": "customer-per-day", "name": "Calls to one customer", "per": ["customer"],
        "limit": { "kind": "sliding", "max": 3, "window_seconds": 86400 },
    }] });
    let policy_id = world
        .put("/v1/policies/default", &cast.owner, policy)
        .await
        .ok(200)
        .text("/id");
    let instance = world.instance(&cast.owner, ARN).await;
    world.mark_verified(&cast, &instance).await;
    ingest(&world, &cast, &instance, &policy_id, count).await;
    Scene {
        world,
        cast,
        instance,
    }
}

fn contacts(answer: &Value) -> Vec<String> {
    let data = answer["data"].as_array().expect("a list");
    data.iter()
        .map(|decision| decision["contact_id"].as_str().expect("an id").to_owned())
        .collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn pages_hold_every_decision_once_newest_first_while_new_ones_arrive(pool: PgPool) {
    let scene = scene(pool, 7).await;
    let first = scene
        .world
        .get("/v1/decisions?limit=3", &scene.cast.viewer)
        .await
        .ok(200);
    assert_eq!(
        contacts(&first.body),
        ["contact-6", "contact-5", "contact-4"]
    );
    let cursor = first.text("/next_cursor");
    let path = format!("/v1/decisions?limit=3&cursor={cursor}");
    let second = scene.world.get(&path, &scene.cast.viewer).await.ok(200);
    assert_eq!(
        contacts(&second.body),
        ["contact-3", "contact-2", "contact-1"]
    );
    let path = format!(
        "/v1/decisions?limit=3&cursor={}",
        second.text("/next_cursor")
    );
    let third = scene.world.get(&path, &scene.cast.viewer).await.ok(200);
    assert_eq!(contacts(&third.body), ["contact-0"]);
    assert!(third.body["next_cursor"].is_null());
}

#[sqlx::test(migrations = "../migrations")]
async fn filters_hold_together_and_a_misspelt_one_is_refused(pool: PgPool) {
    let scene = scene(pool, 6).await;
    let get = async |query: &str| {
        scene
            .world
            .get(&format!("/v1/decisions?{query}"), &scene.cast.viewer)
            .await
    };
    let denied = get(&format!(
        "outcome=denied&rule_id=customer-per-day&instance_id={}",
        scene.instance
    ))
    .await
    .ok(200);
    assert_eq!(
        contacts(&denied.body),
        ["contact-5", "contact-3", "contact-1"]
    );
    let none = get("instance_id=ins_01890000000070008000000000000000")
        .await
        .ok(200);
    assert!(contacts(&none.body).is_empty());
    for query in [
        "outcom=denied",
        "outcome=refused",
        "instance_id=x",
        "limit=0",
        "limit=101",
        "cursor=x",
    ] {
        get(query).await.problem(400, "malformed_request");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_decision_is_told_with_its_rule_s_name_and_when_to_try_again(pool: PgPool) {
    let scene = scene(pool, 2).await;
    let list = scene
        .world
        .get("/v1/decisions?outcome=denied", &scene.cast.viewer)
        .await
        .ok(200);
    let id = list.text("/data/0/id");
    let one = scene
        .world
        .get(&format!("/v1/decisions/{id}"), &scene.cast.viewer)
        .await
        .ok(200);
    assert_eq!(one.body, list.body["data"][0]);
    assert_eq!(one.body["rule_name"], "Calls to one customer");
    assert_eq!(one.body["retry_after_seconds"], 60);
    assert_eq!(one.body["rules"][0]["count"], 3);
    assert_eq!(one.body["rules"][0]["applied"], true);
    assert_eq!(one.body["stop"], "stopped");
}

#[sqlx::test(migrations = "../migrations")]
async fn another_tenant_s_decisions_are_not_there(pool: PgPool) {
    let scene = scene(pool, 2).await;
    let stranger = scene.world.tenant("Stranger").await;
    let id = scene
        .world
        .get("/v1/decisions", &scene.cast.viewer)
        .await
        .ok(200)
        .text("/data/0/id");
    let theirs = scene
        .world
        .get(&format!("/v1/decisions/{id}"), &stranger.owner)
        .await
        .problem(404, "not_found");
    let nobodys = "/v1/decisions/dec_01890000000070008000000000000000";
    let nobodys = scene
        .world
        .get(nobodys, &stranger.owner)
        .await
        .problem(404, "not_found");
    assert_eq!(theirs.without_request_id(), nobodys.without_request_id());
    let list = format!("/v1/decisions?instance_id={}", scene.instance);
    assert!(contacts(&scene.world.get(&list, &stranger.owner).await.ok(200).body).is_empty());
}
