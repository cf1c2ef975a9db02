//! Tokens of an identity provider, through the whole API. The attacks on tokens themselves are in `tests/jwt.rs`.

use axum::http::Method;
use ringfence_api::auth::jwt::JwtSettings;
use serde_json::json;
use sqlx::PgPool;

use crate::harness::World;
use crate::issuer::{AUDIENCE, ISSUER, Provider, verifier};

#[sqlx::test(migrations = "../migrations")]
async fn a_member_s_token_works_in_its_tenant_with_its_role_until_it_expires(pool: PgPool) {
    let provider = Provider::start().await;
    let world = World::with_jwt(pool, Some(provider.verifier())).await;
    let (cast, other) = (world.tenant("Northwind").await, world.tenant("Other").await);
    let token = provider.token(&json!({ "ringfence_tenant": cast.id, "ringfence_role": "viewer" }));
    let me = world.get("/v1/me", &token).await.ok(200);
    assert_eq!(me.body["kind"], "jwt");
    assert_eq!(me.body["role"], "viewer");
    assert_eq!(me.body["subject"], "dora");
    assert_eq!(me.text("/tenant/name"), "Northwind");
    world
        .put("/v1/policies/default", &token, json!({ "rules": [] }))
        .await
        .problem(403, "forbidden");
    let elsewhere = [("ringfence-tenant", other.id.as_str())];
    world
        .call_with(Method::GET, "/v1/me", &token, None, &elsewhere)
        .await
        .problem(404, "not_found");
    world.pass(631);
    world
        .get("/v1/me", &token)
        .await
        .problem(401, "unauthenticated");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_operator_s_token_acts_for_any_tenant_and_a_tenant_that_is_not_there_for_none(
    pool: PgPool,
) {
    let provider = Provider::start().await;
    let world = World::with_jwt(pool, Some(provider.verifier())).await;
    let cast = world.tenant("Northwind").await;
    let token = provider.token(&json!({ "ringfence_role": "operator" }));
    world.get("/v1/tenants", &token).await.ok(200);
    let headers = [("ringfence-tenant", cast.id.as_str())];
    let policy = Some(json!({ "rules": [] }));
    let put = world
        .call_with(
            Method::PUT,
            "/v1/policies/default",
            &token,
            policy,
            &headers,
        )
        .await
        .ok(200);
    assert_eq!(put.body["created_by"], "operator:dora");
    let nowhere = json!({ "ringfence_tenant": "ten_01890000000070008000000000000000", "ringfence_role": "owner" });
    world
        .get("/v1/instances", &provider.token(&nowhere))
        .await
        .problem(404, "not_found");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_wrong_token_is_refused_and_a_provider_that_is_away_is_told_as_such(pool: PgPool) {
    let provider = Provider::start().await;
    let (known, away) = (provider.verifier(), {
        let settings = JwtSettings::new(ISSUER, AUDIENCE, "http://127.0.0.1:1/keys", &["RS256"])
            .expect("settings");
        verifier(settings)
    });
    let world = World::with_jwt(pool, Some(known)).await;
    let cast = world.tenant("Northwind").await;
    let good = json!({ "ringfence_tenant": cast.id, "ringfence_role": "owner" });
    for wrong in [
        json!({ "aud": "others" }),
        json!({ "iss": "https://evil.example" }),
        json!({ "ringfence_role": "god" }),
    ] {
        let mut claims = good.clone();
        for (name, value) in wrong.as_object().expect("claims") {
            claims[name] = value.clone();
        }
        world
            .get("/v1/me", &provider.token(&claims))
            .await
            .problem(401, "unauthenticated");
    }
    let world = World::on(world.store, Some(away));
    world
        .get("/v1/me", &provider.token(&good))
        .await
        .problem(503, "service_unavailable");
}
