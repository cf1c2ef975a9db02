//! What is served beside the API.

use axum::http::Method;
use sqlx::PgPool;

use crate::harness::World;

#[sqlx::test(migrations = "../migrations")]
async fn the_service_says_that_it_lives_and_that_it_is_ready(pool: PgPool) {
    let world = World::new(pool).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(world.get(path, "").await.ok(200).body["status"], "ok");
    }
}

#[sqlx::test(migrations = false)]
async fn a_database_without_our_schema_is_not_ready(pool: PgPool) {
    let world = World::on(ringfence_api::store::Store::from_pool(pool), None);
    world
        .get("/readyz", "")
        .await
        .problem(503, "service_unavailable");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_login_that_could_evade_row_security_is_not_ready(pool: PgPool) {
    let world = World::new(pool)
        .await
        .with_settings(|settings| settings.any_database_login = false);
    let answer = world.get("/readyz", "").await;
    let answer = answer.problem(503, "service_unavailable");
    assert!(answer.text("/detail").contains("row security"));
}

#[sqlx::test(migrations = "../migrations")]
async fn the_description_and_the_customer_s_template_are_served(pool: PgPool) {
    let world = World::new(pool).await;
    let description = world.get("/openapi.json", "").await.ok(200);
    let committed = include_str!("../../../../docs/openapi.json");
    assert_eq!(description.text, committed, "to the byte");
    let template = world.get("/templates/customer.yaml", "").await.ok(200);
    assert_eq!(
        template.text,
        include_str!("../../../../deploy/customer.yaml")
    );
    let template = world.get("/templates/customer-fallback.yaml", "").await;
    assert_eq!(
        template.ok(200).text,
        include_str!("../../../../deploy/customer-fallback.yaml")
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn every_address_that_a_browser_goes_to_is_the_dashboard_under_a_strict_policy(pool: PgPool) {
    let world = World::new(pool).await;
    for path in ["/", "/instances", "/decisions?outcome=denied"] {
        let browser = [("accept", "text/html,*/*;q=0.8")];
        let page = world
            .call_with(Method::GET, path, "", None, &browser)
            .await
            .ok(200);
        assert!(
            page.header("content-type").starts_with("text/html"),
            "{path}"
        );
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("default-src 'self'") || policy.contains("default-src 'none'"),
            "{path}: {policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-eval"));
        assert_eq!(page.header("x-content-type-options"), "nosniff");
    }
    let answer = world.get("/v1/me", "").await;
    assert_eq!(
        answer.header("content-security-policy"),
        "default-src 'none'; frame-ancestors 'none'"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[sqlx::test(migrations = "../migrations")]
async fn metrics_are_the_operator_s_and_name_nobody(pool: PgPool) {
    let world = World::new(pool).await;
    let tenant = world.tenant("acme").await;
    world
        .get("/metrics", "")
        .await
        .problem(401, "unauthenticated");
    world
        .get("/metrics", &tenant.owner)
        .await
        .problem(403, "forbidden");
    let operator = world.operator.clone();
    let answer = world.get("/metrics", &operator).await.ok(200);
    assert!(answer.header("content-type").starts_with("text/plain"));
    assert!(!answer.text.contains(&tenant.id));
}

#[sqlx::test(migrations = "../migrations")]
async fn the_page_of_the_api_is_served_under_the_dashboard_s_policy(pool: PgPool) {
    let world = World::new(pool).await;
    let page = world.get("/docs", "").await.ok(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(
        page.header("content-security-policy")
            .contains("frame-ancestors 'none'")
    );
}
