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
        json!({
            "queues": "all", "existing_whisper": "refuse", "drift": "mend",
            "prefix_filter": null, "on_limiter_unavailable": "allow",
        })
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
async fn a_first_installation_can_be_asked_for_without_replacing_one(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let id = world.instance(&cast.owner, ARN).await;
    world.mark_verified(&cast, &id).await;
    let path = format!("/v1/instances/{id}/installation");
    let with = async |method: Method, name: &str| {
        let body = (method == Method::PUT).then(|| json!({ "queues": "all" }));
        world
            .call_with(method, &path, &cast.editor, body, &[(name, "*")])
            .await
    };
    let stale = "stale_version";
    with(Method::PUT, "if-match").await.problem(412, stale);
    with(Method::PUT, "if-none-match").await.ok(202);
    with(Method::PUT, "if-none-match").await.problem(412, stale);
    with(Method::PUT, "if-match").await.ok(202);
    with(Method::DELETE, "if-none-match")
        .await
        .problem(412, stale);
    // Conditions and steps change under a generation, so it is shown whatever the caller has.
    with(Method::GET, "if-none-match").await.ok(200);
    with(Method::DELETE, "if-match").await.ok(202);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_asked_is_shown_again_as_it_was_asked(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let id = world.instance(&cast.owner, ARN).await;
    world.mark_verified(&cast, &id).await;
    let path = format!("/v1/instances/{id}/installation");
    let body = json!({
        "queues": ["q-1"], "existing_whisper": "merge", "drift": "report",
        "prefix_filter": ["+1", "+86"], "on_limiter_unavailable": "deny",
    });
    world.put(&path, &cast.owner, body.clone()).await.ok(202);
    let shown = world.get(&path, &cast.viewer).await.ok(200);
    assert_eq!(shown.body["desired"], body);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_asked_before_there_was_more_to_ask_for_still_holds(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let id = world.instance(&cast.owner, ARN).await;
    world.mark_verified(&cast, &id).await;
    let path = format!("/v1/instances/{id}/installation");
    world
        .put(&path, &cast.owner, json!({ "queues": "all" }))
        .await
        .ok(202);
    sqlx::query(
        "update installations set desired = desired - 'prefix_filter' - 'on_limiter_unavailable'",
    )
    .execute(&pool)
    .await
    .expect("an older row");
    let shown = world.get(&path, &cast.viewer).await.ok(200);
    assert_eq!(shown.body["desired"]["prefix_filter"], json!(null));
    assert_eq!(shown.body["desired"]["on_limiter_unavailable"], "allow");
}

#[sqlx::test(migrations = "../migrations")]
async fn every_wrong_field_is_named(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let id = world.instance(&cast.owner, ARN).await;
    world.mark_verified(&cast, &id).await;
    let path = format!("/v1/instances/{id}/installation");
    let body = json!({
        "queues": [], "existing_whisper": "destroy", "drift": 1, "when": "now",
        "prefix_filter": ["+1", "1", 1, "+1", "+0"], "on_limiter_unavailable": "maybe",
    });
    let answer = world
        .put(&path, &cast.owner, body)
        .await
        .problem(422, "validation_failed");
    assert_eq!(
        answer.pointers(),
        [
            "/drift",
            "/existing_whisper",
            "/on_limiter_unavailable",
            "/prefix_filter/1",
            "/prefix_filter/2",
            "/prefix_filter/3",
            "/prefix_filter/4",
            "/queues",
            "/when"
        ]
    );
    let many: Vec<String> = (10..51).map(|number| format!("+{number}")).collect();
    for filter in [json!([]), json!("+1"), json!(many)] {
        let body = json!({ "queues": "all", "prefix_filter": filter });
        let answer = world.put(&path, &cast.owner, body).await;
        let problem = answer.problem(422, "validation_failed");
        assert_eq!(problem.pointers(), ["/prefix_filter"]);
    }
}
