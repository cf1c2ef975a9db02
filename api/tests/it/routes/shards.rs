//! Limiter functions, for the operator.

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::harness::{ARN, Cast, World};

const SECOND: &str = "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-2";

/// An instance that a worker has placed on the first function; the second one has room.
async fn placed(world: &World) -> (Cast, String, String) {
    let first = world.shard().await;
    let functions = [
        (first.clone(), "us-east-1".to_owned()),
        (SECOND.to_owned(), "us-east-1".to_owned()),
    ];
    world.store.shard_sync(&functions).await.expect("shards");
    let cast = world.tenant("Northwind").await;
    let instance = world.instance(&cast.owner, ARN).await;
    world.mark_verified(&cast, &instance).await;
    let path = format!("/v1/instances/{instance}/installation");
    let wanted = json!({ "queues": "all" });
    world.put(&path, &cast.owner, wanted).await.ok(202);
    let (tenant, id) = (
        cast.id.parse().expect("an id"),
        instance.parse().expect("an id"),
    );
    let now: Timestamp = world.clock.now();
    let placed = world.store.shard_assign(tenant, id, "us-east-1", now).await;
    let placed = placed.expect("an answer").expect("a place");
    assert_eq!(placed.function_arn, first);
    (cast, instance, first)
}

async fn shard(world: &World, function_arn: &str) -> Value {
    let list = world.get("/v1/shards", &world.operator).await.ok(200);
    let shards = list.body["data"].as_array().expect("shards").clone();
    let found = shards
        .into_iter()
        .find(|shard| shard["function_arn"] == function_arn);
    found.expect("the shard")
}

#[sqlx::test(migrations = "../migrations")]
async fn a_move_is_begun_once_and_seen_on_both_functions_and_in_the_audit_log(pool: PgPool) {
    let world = World::new(pool).await;
    let (cast, instance, first) = placed(&world).await;
    let wanted = json!({ "instance_id": instance });
    let begin = async || {
        let key = [("idempotency-key", "move")];
        let (path, operator) = ("/v1/shard-moves", &world.operator);
        world
            .call_with(Method::POST, path, operator, Some(wanted.clone()), &key)
            .await
            .ok(202)
    };
    let begun = begin().await;
    let again = begin().await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.text, begun.text);
    assert_eq!(begun.body["from"], json!(first));
    assert_eq!(begun.body["to"], SECOND);
    assert_eq!(begun.body["tenant_id"], json!(cast.id));
    assert_eq!(begun.body["repointed_at"], Value::Null);
    let moves = world.get("/v1/shard-moves", &world.operator).await.ok(200);
    assert_eq!(moves.body["data"], json!([begun.body]));
    let (from, to) = (shard(&world, &first).await, shard(&world, SECOND).await);
    assert_eq!(
        (&from["instances"], &from["leaving"]),
        (&json!(0), &json!(1))
    );
    assert_eq!((&to["instances"], &to["arriving"]), (&json!(1), &json!(1)));
    assert_eq!((&from["free"], &to["free"]), (&json!(39), &json!(39)));
    world
        .post("/v1/shard-moves", &world.operator, wanted.clone())
        .await
        .problem(409, "conflict");
    let log = world.get("/v1/audit-log", &cast.owner).await.ok(200);
    let entries = log.body["data"].as_array().expect("entries").clone();
    let moved = entries.iter().find(|entry| entry["action"] == "shard.move");
    let moved = moved.expect("an entry");
    assert_eq!(moved["before"], json!({ "function_arn": first }));
    assert_eq!(moved["after"], json!({ "function_arn": SECOND }));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_move_that_cannot_be_is_refused_with_the_reason(pool: PgPool) {
    let world = World::new(pool).await;
    let (_, instance, first) = placed(&world).await;
    for (to, told) in [
        (first.as_str(), "already"),
        (
            "arn:aws:lambda:eu-west-2:999988887777:function:ringfence-limiter-1",
            "no such function",
        ),
        ("nothing", "no such function"),
    ] {
        let wanted = json!({ "instance_id": instance, "to": to });
        let refused = world.post("/v1/shard-moves", &world.operator, wanted).await;
        let refused = refused.problem(409, "conflict");
        assert!(refused.text("/detail").contains(told), "{}", refused.text);
    }
    let nothing = world
        .post("/v1/shard-moves", &world.operator, json!({}))
        .await;
    let nothing = nothing.problem(422, "validation_failed");
    assert_eq!(nothing.pointers(), ["/instance_id"]);
    assert_eq!(shard(&world, &first).await["instances"], 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_function_is_drained_and_taken_back(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let (_, instance, first) = placed(&world).await;
    let path = format!("/v1/shards/{first}");
    let draining = |draining: bool| Some(json!({ "draining": draining }));
    let answer = world
        .call(Method::PATCH, &path, &world.operator, draining(true))
        .await
        .ok(200);
    assert_eq!(answer.body["state"], "draining");
    // A worker's next look begins the move.
    let due: bool = sqlx::query_scalar("select looks_asked > 0 from installations")
        .fetch_one(&pool)
        .await
        .expect("due");
    assert!(due);
    let wanted = json!({ "instance_id": instance, "to": first });
    world
        .post("/v1/shard-moves", &world.operator, wanted)
        .await
        .problem(409, "conflict");
    let answer = world
        .call(Method::PATCH, &path, &world.operator, draining(false))
        .await
        .ok(200);
    assert_eq!(answer.body["state"], "in_service");
    let missing = format!("{path}-9");
    world
        .call(Method::PATCH, &missing, &world.operator, draining(true))
        .await
        .problem(404, "not_found");
    for body in [json!({}), json!({ "draining": "yes" })] {
        let refused = world
            .call(Method::PATCH, &path, &world.operator, Some(body))
            .await;
        let refused = refused.problem(422, "validation_failed");
        assert_eq!(refused.pointers(), ["/draining"]);
    }
}
