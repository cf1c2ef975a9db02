//! What the description shows can be sent as it stands.

use ringfence_api::http::openapi;
use serde_json::Value;
use sqlx::PgPool;

use crate::harness::World;
use crate::operations::operations;
use crate::scene::Scene;

/// It may name what this tenant has not, but nothing in it is misunderstood.
#[sqlx::test(migrations = "../migrations")]
async fn every_example_of_a_request_is_understood(pool: PgPool) {
    let world = World::new(pool).await;
    let document: Value = serde_json::from_str(&openapi::text()).expect("JSON");
    let mut sent = 0;
    for operation in operations() {
        let method = operation.method.as_str().to_lowercase();
        let body = &document["paths"][&operation.path][method]["requestBody"];
        let example = &body["content"]["application/json"]["example"];
        if example.is_null() {
            continue;
        }
        sent += 1;
        let scene = Scene::build(&world, sent).await;
        let key = match operation.permission.as_deref() {
            Some("operator") => &world.operator,
            _ => &scene.cast.owner,
        };
        let path = scene.path(&operation);
        let answer = world
            .call(operation.method.clone(), &path, key, Some(example.clone()))
            .await;
        let status = answer.status.as_u16();
        let is_understood = !matches!(status, 400 | 415 | 422);
        assert!(is_understood, "{}: {status} {}", operation.id, answer.text);
    }
    assert!(sent > 15);
}
