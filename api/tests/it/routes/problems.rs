//! Everything that goes wrong leaves as a problem document, whoever noticed it.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use axum::routing::get;
use ringfence_api::store::Store;
use serde_json::json;
use sqlx::PgPool;

use crate::harness::World;

fn request(
    method: &str,
    path: &str,
    key: &str,
    content_type: &str,
    body: Vec<u8>,
) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", content_type)
        .body(Body::from(body))
        .expect("a request")
}

#[sqlx::test(migrations = "../migrations")]
async fn each_kind_of_failure_is_a_problem_with_a_page(pool: PgPool) {
    let world = World::new(pool).await;
    let key = world.operator.clone();
    let json = "application/json";
    let large = vec![b' '; 300 * 1024];
    for (method, path, content_type, body, status, code) in [
        ("GET", "/v1/nothing", json, Vec::new(), 404, "not_found"),
        ("GET", "/v1", json, Vec::new(), 404, "not_found"),
        (
            "DELETE",
            "/v1/me",
            json,
            Vec::new(),
            405,
            "method_not_allowed",
        ),
        ("POST", "/", json, Vec::new(), 404, "not_found"),
        (
            "POST",
            "/v1/tenants",
            json,
            b"{\"name\": ".to_vec(),
            400,
            "malformed_json",
        ),
        (
            "POST",
            "/v1/tenants",
            json,
            b"[]".to_vec(),
            422,
            "validation_failed",
        ),
        (
            "POST",
            "/v1/tenants",
            "text/plain",
            b"{}".to_vec(),
            415,
            "unsupported_media_type",
        ),
        ("POST", "/v1/tenants", json, large, 413, "payload_too_large"),
        (
            "GET",
            "/v1/tenants/ten_1",
            json,
            Vec::new(),
            404,
            "not_found",
        ),
        (
            "GET",
            "/v1/tenants/ins_01890000000070008000000000000000",
            json,
            Vec::new(),
            404,
            "not_found",
        ),
        (
            "GET",
            "/v1/tenants?limit=many",
            json,
            Vec::new(),
            400,
            "malformed_request",
        ),
        (
            "GET",
            "/docs/errors/nothing",
            json,
            Vec::new(),
            404,
            "not_found",
        ),
        (
            "GET",
            "/assets/nothing.js",
            json,
            Vec::new(),
            404,
            "not_found",
        ),
    ] {
        let answer = world
            .send(request(method, path, &key, content_type, body))
            .await
            .problem(status, code);
        assert_eq!(answer.body["status"], status, "{method} {path}");
        assert_eq!(answer.text("/type"), format!("/docs/errors/{code}"));
        assert_eq!(answer.text("/request_id"), answer.header("x-request-id"));
        assert!(!answer.text("/title").is_empty() && !answer.text("/detail").is_empty());
        let page = world.get(&answer.text("/type"), "").await.ok(200);
        assert!(
            page.text.contains(code) && page.header("content-type").starts_with("text/markdown")
        );
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_wrong_method_is_answered_with_the_right_ones(pool: PgPool) {
    let world = World::new(pool).await;
    let answer = world
        .call(Method::PUT, "/v1/tenants", &world.operator, Some(json!({})))
        .await;
    let allowed = answer.problem(405, "method_not_allowed");
    let allowed = allowed.header("allow");
    assert!(
        allowed.contains("GET") && allowed.contains("POST"),
        "{allowed}"
    );
}

#[tokio::test]
async fn a_database_that_is_away_is_told_as_such_and_nothing_of_it_leaks() {
    let store = Store::connect_lazily("postgres://secret-user:secret-word@127.0.0.1:1/secret-name")
        .expect("a pool");
    let world = World::on(store, None);
    let answer = world
        .get("/v1/me", "rf_live_anything")
        .await
        .problem(503, "service_unavailable");
    assert!(!answer.text.contains("secret"), "{}", answer.text);
    assert!(!answer.header("retry-after").is_empty());
    world
        .get("/readyz", "")
        .await
        .problem(503, "service_unavailable");
    world.get("/healthz", "").await.ok(200);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_row_that_cannot_be_read_is_our_fault_and_its_content_stays_inside(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    world
        .put("/v1/policies/default", &cast.owner, json!({ "rules": [] }))
        .await
        .ok(200);
    sqlx::query("update policy_versions set document = '{\"mode\": \"broken-on-purpose\"}'")
        .execute(&pool)
        .await
        .expect("broken");
    let answer = world
        .get("/v1/policies/default", &cast.owner)
        .await
        .problem(500, "internal");
    assert!(!answer.text.contains("broken-on-purpose") && !answer.text.contains("policy_versions"));
}

#[tokio::test]
async fn a_panic_is_a_problem_and_the_service_goes_on() {
    let store = Store::connect_lazily("postgres://nobody@127.0.0.1:1/nothing").expect("a pool");
    let panics = get(async || -> &'static str { panic!("secret thought") });
    let world = World::on(store, None).with_routes(Router::new().route("/panics", panics));
    for _ in 0..2 {
        let answer = world.get("/panics", "").await.problem(500, "internal");
        assert!(!answer.text.contains("secret thought"));
    }
}
