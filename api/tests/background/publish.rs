//! What limiters read is what is in force, and never anything older.

use std::sync::Arc;

use jiff::SignedDuration;
use ringfence_api::background::Found;
use ringfence_api::background::publisher::Publisher;
use ringfence_api::domain::ids::{InstanceId, PolicyId};
use ringfence_api::domain::instance_arn::InstanceArn;
use ringfence_api::domain::precondition::Precondition;
use ringfence_api::store::PutPolicy;
use ringfence_policy::PolicyDraft;
use sqlx::PgPool;

use crate::described::is_as_described;
use crate::dynamo::Dynamo;
use crate::world::World;

async fn activate(world: &World, instance: InstanceId) {
    let mut tx = world
        .store
        .tenant(world.tenant)
        .await
        .expect("a transaction");
    tx.publication_activate(instance, world.clock.now())
        .await
        .expect("active");
    tx.commit().await.expect("committed");
}

async fn touch_all(world: &World) {
    let mut tx = world
        .store
        .tenant(world.tenant)
        .await
        .expect("a transaction");
    tx.publication_touch(None, world.clock.now())
        .await
        .expect("touched");
    tx.commit().await.expect("committed");
}

fn publisher(world: &World, dynamo: &Dynamo) -> Publisher {
    Publisher::new(
        world.store.clone(),
        Arc::clone(&dynamo.aws),
        world.clock.clone(),
        world.ids.clone(),
    )
}

async fn revision(dynamo: &Dynamo, arn: &InstanceArn) -> u64 {
    let (revision, _) = dynamo.snapshot(&arn.to_string()).await.expect("a snapshot");
    revision.parse().expect("a number")
}

#[sqlx::test(migrations = "../migrations")]
async fn an_instance_without_a_policy_is_published_with_the_default(pool: PgPool) {
    let (world, dynamo) = (World::new(pool).await, Dynamo::start().await);
    let (instance, arn) = world.instance().await;
    activate(&world, instance).await;
    let publisher = publisher(&world, &dynamo);
    assert_eq!(publisher.look().await.expect("a look"), Found::Work);
    assert_eq!(publisher.look().await.expect("a look"), Found::Nothing);
    let (_, snapshot) = dynamo.snapshot(&arn.to_string()).await.expect("a snapshot");
    assert_eq!(snapshot["status"], "active");
    assert_eq!(snapshot["policy"]["rules"], serde_json::json!([]));
    assert_eq!(
        snapshot["runtime_role_arn"],
        "arn:aws:iam::111122223333:role/runtime"
    );
    assert_eq!(snapshot["instance_id"], instance.to_string());
    assert_eq!(snapshot["home_region"], "us-east-1");
    let looks_up = snapshot.get("has_listed_numbers");
    assert_eq!(looks_up, None, "nothing was ever listed");
}

#[sqlx::test(migrations = "../migrations")]
async fn each_change_is_published_under_a_higher_revision(pool: PgPool) {
    let (world, dynamo) = (World::new(pool).await, Dynamo::start().await);
    let (instance, arn) = world.instance().await;
    activate(&world, instance).await;
    let publisher = publisher(&world, &dynamo);
    publisher.look().await.expect("a look");
    let first = revision(&dynamo, &arn).await;
    touch_all(&world).await;
    touch_all(&world).await;
    publisher.look().await.expect("a look");
    let then = revision(&dynamo, &arn).await;
    assert_eq!(then, first + 2, "two changes, one publication");
    assert_eq!(publisher.look().await.expect("a look"), Found::Nothing);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_older_snapshot_never_replaces_a_newer_one(pool: PgPool) {
    let (world, dynamo) = (World::new(pool).await, Dynamo::start().await);
    let (instance, arn) = world.instance().await;
    let arn = arn.to_string();
    activate(&world, instance).await;
    let table = dynamo.aws.snapshots("us-east-1");
    let late = r#"{"late":true}"#.to_owned();
    publisher(&world, &dynamo).look().await.expect("a look");
    table
        .put(&arn, 1, late.clone(), world.clock.now())
        .await
        .expect("an answer");
    table
        .put(&arn, 0, late, world.clock.now())
        .await
        .expect("an answer");
    let (_, snapshot) = dynamo.snapshot(&arn).await.expect("a snapshot");
    assert_eq!(snapshot["schema"], 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_instance_that_was_taken_away_is_not_published_again(pool: PgPool) {
    let (world, dynamo) = (World::new(pool).await, Dynamo::start().await);
    let (instance, arn) = world.instance().await;
    activate(&world, instance).await;
    let publisher = publisher(&world, &dynamo);
    publisher.look().await.expect("a look");
    let first = revision(&dynamo, &arn).await;
    publisher
        .unpublish(world.tenant, instance)
        .await
        .expect("taken away");
    assert_eq!(dynamo.snapshot(&arn.to_string()).await, None);
    touch_all(&world).await;
    assert_eq!(publisher.look().await.expect("a look"), Found::Nothing);
    publisher
        .publish(world.tenant, instance)
        .await
        .expect("nothing to do");
    assert_eq!(dynamo.snapshot(&arn.to_string()).await, None);
    activate(&world, instance).await;
    publisher.look().await.expect("a look");
    assert!(revision(&dynamo, &arn).await > first, "revisions only grow");
}

#[sqlx::test(migrations = "../migrations")]
async fn what_stands_in_the_way_of_an_instance_is_gone_above(pool: PgPool) {
    let (world, dynamo) = (World::new(pool).await, Dynamo::start().await);
    let (instance, arn) = world.instance().await;
    let far = 9_000_000_000_000;
    let theirs = r#"{"instance_id":"ins_of_somebody_else"}"#.to_owned();
    let table = dynamo.aws.snapshots("us-east-1");
    table
        .put(&arn.to_string(), far, theirs, world.clock.now())
        .await
        .expect("an answer");
    activate(&world, instance).await;
    let publisher = publisher(&world, &dynamo);
    publisher.look().await.expect("a look");
    let (_, snapshot) = dynamo.snapshot(&arn.to_string()).await.expect("a snapshot");
    assert_eq!(snapshot["instance_id"], instance.to_string());
    assert_eq!(revision(&dynamo, &arn).await, far + 1);
    assert_eq!(publisher.look().await.expect("a look"), Found::Nothing);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_instance_that_is_deleted_and_registered_anew_gets_higher_revisions(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let (instance, arn) = world.instance().await;
    activate(&world, instance).await;
    let publisher = publisher(&world, &dynamo);
    publisher.look().await.expect("a look");
    let first = revision(&dynamo, &arn).await;
    sqlx::query("delete from publications")
        .execute(&pool)
        .await
        .expect("deleted");
    let later = world.clock.now() + SignedDuration::from_secs(1);
    world.clock.set(later);
    activate(&world, instance).await;
    publisher.look().await.expect("a look");
    assert!(revision(&dynamo, &arn).await > first);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_late_removal_leaves_a_later_snapshot_alone(pool: PgPool) {
    let (world, dynamo) = (World::new(pool).await, Dynamo::start().await);
    let (instance, arn) = world.instance().await;
    activate(&world, instance).await;
    publisher(&world, &dynamo).look().await.expect("a look");
    let table = dynamo.aws.snapshots("us-east-1");
    let present = revision(&dynamo, &arn).await;
    table
        .delete(&arn.to_string(), present - 1)
        .await
        .expect("an answer");
    assert!(dynamo.snapshot(&arn.to_string()).await.is_some());
    table
        .delete(&arn.to_string(), present)
        .await
        .expect("an answer");
    assert!(dynamo.snapshot(&arn.to_string()).await.is_none());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_policy_is_told_of_once_limiters_can_read_it(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let (instance, _) = world.instance().await;
    sqlx::query(
        "insert into webhook_endpoints (tenant_id, id, url, description, events, customer_numbers, state, secret,
             created_at, failures, next_turn_at)
         select id, gen_random_uuid(), 'https://x/', '', '{policy.published}', 'masked', 'enabled', 'x', created_at, 0,
             created_at from tenants",
    )
    .execute(&pool)
    .await
    .expect("a webhook");
    activate(&world, instance).await;
    let publisher = publisher(&world, &dynamo);
    publisher.look().await.expect("a look");
    let told = async || -> Vec<serde_json::Value> {
        let told: Vec<serde_json::Value> =
            sqlx::query_scalar("select data from webhook_events order by at, id")
                .fetch_all(&pool)
                .await
                .expect("rows");
        for data in &told {
            is_as_described("policy.published", data);
        }
        told
    };
    assert_eq!(told().await.len(), 0, "there is no policy yet");
    put(&world, None, serde_json::json!({})).await;
    assert_eq!(told().await.len(), 0, "limiters cannot read it yet");
    touch_all(&world).await;
    publisher.look().await.expect("a look");
    touch_all(&world).await;
    publisher.look().await.expect("a look");
    let told = told().await;
    assert_eq!(told.len(), 1, "the second time nothing was new: {told:?}");
    assert_eq!(told[0]["version"], 1);
    assert_eq!(told[0]["instance_id"], instance.to_string());
    assert_eq!(told[0]["former_version"], serde_json::Value::Null);
}

async fn put(world: &World, instance: Option<InstanceId>, document: serde_json::Value) {
    let draft: PolicyDraft = serde_json::from_value(document).expect("a draft");
    let policy = draft.check().expect("a policy");
    let mut tx = world.store.tenant(world.tenant).await.expect("a tx");
    tx.policy_put(&PutPolicy {
        new_id: PolicyId(world.ids.uuid()),
        instance,
        policy: &policy,
        expected: &Precondition::default(),
        now: world.clock.now(),
        by: "test",
    })
    .await
    .expect("put");
    tx.commit().await.expect("committed");
}

#[sqlx::test(migrations = "../migrations")]
async fn limiters_know_what_tenant_wide_rules_of_other_instances_need(pool: PgPool) {
    let (world, dynamo) = (World::new(pool).await, Dynamo::start().await);
    let (one, arn_of_one) = world.instance().await;
    let (other, arn_of_other) = world.instance().await;
    activate(&world, one).await;
    activate(&world, other).await;
    let rule = |id: &str, scope: &str, seconds: u32| {
        let limit = serde_json::json!({"kind": "sliding", "max": 3, "window_seconds": seconds});
        serde_json::json!({"id": id, "per": ["customer"], "scope": scope, "limit": limit})
    };
    put(&world, None, serde_json::json!({"rules": [rule("day", "tenant", 86_400), rule("hour", "instance", 3_600)]})).await;
    put(
        &world,
        Some(one),
        serde_json::json!({"rules": [rule("minute", "tenant", 60), rule("second", "instance", 1)]}),
    )
    .await;
    let publisher = publisher(&world, &dynamo);
    while publisher.look().await.expect("a look") == Found::Work {}
    let elsewhere = async |arn: &InstanceArn| {
        let (_, snapshot) = dynamo.snapshot(&arn.to_string()).await.expect("a snapshot");
        snapshot["limits_elsewhere"].clone()
    };
    let limit =
        |seconds| serde_json::json!([{"kind": "sliding", "max": 3, "window_seconds": seconds}]);
    assert_eq!(
        elsewhere(&arn_of_one).await,
        serde_json::json!({"minute": limit(86_400)})
    );
    assert_eq!(
        elsewhere(&arn_of_other).await,
        serde_json::json!({"day": limit(60)})
    );
}
