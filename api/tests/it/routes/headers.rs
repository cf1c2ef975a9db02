//! What browsers are told, and how much and how long a request may take.

use std::time::Duration;

use axum::Router;
use axum::http::Method;
use axum::routing::get;
use ringfence_api::http::within;
use ringfence_api::store::Store;
use sqlx::PgPool;

use crate::harness::World;

#[sqlx::test(migrations = "../migrations")]
async fn every_answer_keeps_other_sites_out(pool: PgPool) {
    let world = World::new(pool).await;
    for path in [
        "/",
        "/v1/me",
        "/healthz",
        "/nothing.js",
        "/docs/errors/not_found",
    ] {
        let answer = world.get(path, "").await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            // The harness has a public address with https.
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(answer.header(name), value, "{path}: {name}");
        }
        assert!(
            answer
                .header("content-security-policy")
                .contains("frame-ancestors 'none'")
        );
        assert!(
            answer
                .header("permissions-policy")
                .contains("microphone=()")
        );
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn scripts_of_other_sites_are_given_no_leave(pool: PgPool) {
    let world = World::new(pool).await;
    let elsewhere = [("origin", "https://elsewhere.example")];
    let answer = world
        .call_with(Method::GET, "/v1/me", &world.operator, None, &elsewhere)
        .await
        .ok(200);
    let preflight = [
        ("origin", "https://elsewhere.example"),
        ("access-control-request-method", "POST"),
    ];
    let asked = world
        .call_with(Method::OPTIONS, "/v1/tenants", "", None, &preflight)
        .await
        .problem(405, "method_not_allowed");
    for answer in [answer, asked] {
        let leave = answer.headers.keys();
        assert!(
            !leave
                .map(|name| name.as_str())
                .any(|name| name.starts_with("access-control-"))
        );
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn long_answers_are_compressed_for_who_can_read_that(pool: PgPool) {
    let world = World::new(pool).await;
    let zipped = [("accept-encoding", "gzip")];
    let answer = world
        .call_with(Method::GET, "/openapi.json", "", None, &zipped)
        .await
        .ok(200);
    assert_eq!(answer.header("content-encoding"), "gzip");
    let plain = world.get("/openapi.json", "").await.ok(200);
    assert_eq!(plain.header("content-encoding"), "");
    assert!(plain.text.len() > 10_000);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up_and_told_so() {
    let store = Store::connect_lazily("postgres://nobody@127.0.0.1:1/nothing").expect("a pool");
    let never = get(async || std::future::pending::<&'static str>().await);
    let routes = Router::new().route("/never", never);
    let world = World::on(store, None).with_routes(routes.layer(within(Duration::from_millis(1))));
    world.get("/never", "").await.problem(504, "timeout");
}

/// A program that mistook an address must not take the dashboard's page for an answer.
#[sqlx::test(migrations = "../migrations")]
async fn the_page_is_for_browsers_and_what_is_not_there_is_a_problem_for_all_others(pool: PgPool) {
    let world = World::new(pool).await;
    let ask = async |path: &str, accept: &str| {
        let accept = [("accept", accept)];
        world.call_with(Method::GET, path, "", None, &accept).await
    };
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for place in [
        "/",
        "/decisions",
        "/instances/ins_1/installation",
        "/v1x",
        "/docsy",
    ] {
        let page = ask(place, browser).await.ok(200);
        assert!(
            page.header("content-type").starts_with("text/html"),
            "{place}"
        );
    }
    for place in ["/healthzz", "/openapi", "/decisions"] {
        for accept in ["*/*", "application/json", ""] {
            ask(place, accept).await.problem(404, "not_found");
        }
        world.get(place, "").await.problem(404, "not_found");
    }
    for place in [
        "/v1",
        "/v1/nothing",
        "/v2/policies",
        "/v10",
        "/auth/nothing",
        "/docs/nothing",
        "/nothing.js",
    ] {
        ask(place, browser).await.problem(404, "not_found");
    }
}
