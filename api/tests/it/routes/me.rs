//! Who am I, by each kind of credential.

use serde_json::json;
use sqlx::PgPool;

use crate::harness::World;

#[sqlx::test(migrations = "../migrations")]
async fn each_caller_is_told_who_it_is(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let editor = world.get("/v1/me", &cast.editor).await.ok(200);
    assert_eq!(editor.body["kind"], "api_key");
    assert_eq!(editor.body["role"], "editor");
    assert_eq!(
        editor.body["tenant"],
        json!({ "id": cast.id, "name": "Northwind" })
    );
    let operator = world.get("/v1/me", &world.operator).await.ok(200);
    assert_eq!(operator.body["kind"], "operator");
    assert_eq!(operator.body["role"], "operator");
    assert!(operator.body["tenant"].is_null());
    assert!(operator.text("/subject").starts_with("opk_"));
}

#[sqlx::test(migrations = "../migrations")]
async fn an_operator_acts_for_the_tenant_it_names_and_for_no_other(pool: PgPool) {
    let world = World::new(pool).await;
    let (one, other) = (world.tenant("One").await, world.tenant("Other").await);
    let ask = async |key: &str, tenant: &str| {
        let headers = [("ringfence-tenant", tenant)];
        world
            .call_with(axum::http::Method::GET, "/v1/me", key, None, &headers)
            .await
    };
    assert_eq!(
        ask(&world.operator, &one.id)
            .await
            .ok(200)
            .text("/tenant/name"),
        "One"
    );
    ask(&world.operator, "ten_01890000000070008000000000000000")
        .await
        .problem(404, "not_found");
    ask(&world.operator, "Northwind")
        .await
        .problem(404, "not_found");
    // A key reaches its own tenant only, whatever it names.
    assert_eq!(
        ask(&one.owner, &one.id).await.ok(200).text("/tenant/name"),
        "One"
    );
    ask(&one.owner, &other.id).await.problem(404, "not_found");
    world
        .get("/v1/instances", &world.operator)
        .await
        .problem(400, "malformed_request");
}

#[sqlx::test(migrations = "../migrations")]
async fn no_credential_is_taken_from_an_odd_header(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    for value in [
        cast.owner.clone(),
        format!("Basic {}", cast.owner),
        "Bearer".to_owned(),
        "Bearer  ".to_owned(),
    ] {
        let headers = [("authorization", value.as_str())];
        let answer = world
            .call_with(axum::http::Method::GET, "/v1/me", "", None, &headers)
            .await;
        answer.problem(401, "unauthenticated");
    }
    let twice = [("authorization", format!("Bearer {}", cast.viewer))];
    let twice: Vec<(&str, &str)> = twice
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    world
        .call_with(axum::http::Method::GET, "/v1/me", &cast.owner, None, &twice)
        .await
        .problem(401, "unauthenticated");
}
