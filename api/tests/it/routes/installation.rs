//! What is asked of an installation. The workers' part has its own tests.

use axum::http::Method;
use serde_json::json;
use sqlx::PgPool;

use crate::harness::{ARN, World};

#[sqlx::test(migrations = "../migrations")]
async fn nothing_is_installed_before_the_instance_is_proved(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let id = world.instance(&cast.owner, ARN).await;
    let path = format!("/v1/instances/{id}/installation");
    let body = json!({ "queues": "all" });
    world
        .put(&path, &cast.editor, body.clone())
        .await
        .problem(409, "instance_not_verified");
    world.mark_verified(&cast, &id).await;
    let put = world.put(&path, &cast.editor, body).await.ok(202);
    assert_eq!(put.body["state"], "pending");
    assert_eq!(put.body["generation"], 1);
    assert_eq!(put.body["observed_generation"], 0);
    assert_eq!(put.header("etag"), "\"1\"");
    assert_eq!(
        put.body["desired"],
        json!({ "queues": "all", "existing_whisper": "refuse", "drift": "mend" })
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_stale_generation_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let id = world.instance(&cast.owner, ARN).await;
    world.mark_verified(&cast, &id).await;
    let path = format!("/v1/instances/{id}/installation");
    let body = json!({ "queues": ["q-1"], "existing_whisper": "merge", "drift": "report" });
    world.put(&path, &cast.owner, body.clone()).await.ok(202);
    world.put(&path, &cast.owner, body.clone()).await.ok(202);
    let with = async |etag: &str| {
        let headers = [("if-match", etag)];
        world
            .call_with(
                Method::PUT,
                &path,
                &cast.owner,
                Some(body.clone()),
                &headers,
            )
            .await
    };
    with("\"1\"").await.problem(412, "stale_version");
    with("\"2\"").await.ok(202);
    with("x").await.problem(400, "malformed_request");
    assert_eq!(
        world.get(&path, &cast.viewer).await.ok(200).header("etag"),
        "\"3\""
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn every_wrong_field_is_named(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let id = world.instance(&cast.owner, ARN).await;
    world.mark_verified(&cast, &id).await;
    let path = format!("/v1/instances/{id}/installation");
    let body = json!({ "queues": [], "existing_whisper": "destroy", "drift": 1, "when": "now" });
    let answer = world
        .put(&path, &cast.owner, body)
        .await
        .problem(422, "validation_failed");
    assert_eq!(
        answer.pointers(),
        ["/drift", "/existing_whisper", "/queues", "/when"]
    );
}
