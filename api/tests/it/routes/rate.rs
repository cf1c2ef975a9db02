//! How much a key and a tenant may ask.

use axum::http::Method;
use ringfence_api::domain::rate::RateLimits;
use serde_json::json;
use sqlx::PgPool;

use super::sessions::member;
use crate::harness::{Answer, World};
use crate::issuer::Provider;

#[sqlx::test(migrations = "../migrations")]
async fn a_key_that_asks_too_much_is_told_when_to_come_back_and_others_are_not_in_its_way(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let world =
        world.with_settings(|settings| settings.rate_limits = RateLimits::per_minute(3, 100));
    for left in [2, 1, 0] {
        let answer = world.get("/v1/instances", &cast.viewer).await.ok(200);
        let policy = "\"key\";q=3;w=60, \"tenant\";q=100;w=60";
        assert_eq!(answer.header("ratelimit-policy"), policy);
        let told = answer.header("ratelimit");
        assert!(told.starts_with(&format!("\"key\";r={left};t=")), "{told}");
    }
    let refused = world.get("/v1/instances", &cast.viewer).await;
    let refused = refused.problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "20");
    assert!(
        refused
            .header("ratelimit")
            .starts_with("\"key\";r=0;t=60, \"tenant\";r=97;")
    );
    world.get("/v1/instances", &cast.editor).await.ok(200);
    world.pass(19);
    world
        .get("/v1/instances", &cast.viewer)
        .await
        .problem(429, "rate_limited");
    world.pass(1);
    world.get("/v1/instances", &cast.viewer).await.ok(200);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_tenant_s_keys_share_its_quota_and_leave_other_tenants_theirs(pool: PgPool) {
    let world = World::new(pool).await;
    let (cast, other) = (
        world.tenant("Northwind").await,
        world.tenant("Fabrikam").await,
    );
    let world =
        world.with_settings(|settings| settings.rate_limits = RateLimits::per_minute(100, 2));
    world.get("/v1/me", &cast.owner).await.ok(200);
    world.get("/v1/me", &cast.admin).await.ok(200);
    for key in [&cast.owner, &cast.viewer] {
        world.get("/v1/me", key).await.problem(429, "rate_limited");
    }
    world.get("/v1/me", &other.owner).await.ok(200);
    // Acting for the tenant, an operator uses up nothing of it.
    let answer = world.get("/v1/me", &world.operator).await.ok(200);
    assert_eq!(answer.header("ratelimit-policy"), "\"key\";q=100;w=60");
}

#[sqlx::test(migrations = "../migrations")]
async fn who_is_not_recognised_is_told_nothing_about_quotas(pool: PgPool) {
    let world = World::new(pool).await;
    let answer = world
        .get("/v1/me", "rf_live_wrong")
        .await
        .problem(401, "unauthenticated");
    assert_eq!(answer.header("ratelimit"), "");
}

/// What is refused after somebody was recognised costs as much as what is done, and says what is left.
#[sqlx::test(migrations = "../migrations")]
async fn every_answer_to_a_caller_who_was_recognised_tells_of_its_quota_and_counts(pool: PgPool) {
    let issuer = Provider::start().await;
    let (world, openid) = World::with_sign_in_and_jwt(pool, &[], Some(issuer.verifier())).await;
    let (cast, other) = (world.tenant("One").await, world.tenant("Other").await);
    let ada = member(&world, &openid, "Ada", &[(&cast, "owner")]).await;
    let gone = world.tenant("Gone").await;
    let path = format!("/v1/tenants/{}", gone.id);
    world.delete(&path, &world.operator).await.ok(202);
    let bearer = format!("Bearer {}", cast.viewer);
    let claims = json!({ "ringfence_tenant": gone.id, "ringfence_role": "owner" });
    let of_gone = format!("Bearer {}", issuer.token(&claims));
    let left = |answer: &Answer| -> u32 {
        let told = answer.header("ratelimit");
        let (_, rest) = told.split_once("\"key\";r=").expect(told);
        let (left, _) = rest.split_once(';').expect(told);
        left.parse().expect(told)
    };
    let ask = async |headers: &[(&str, &str)]| {
        ada.send(Method::POST, "/v1/api-keys", None, headers).await
    };
    let foreign = ("ringfence-tenant", other.id.as_str());
    let twice = [
        ("ringfence-tenant", cast.id.as_str()),
        ("ringfence-tenant", cast.id.as_str()),
    ];
    for (headers, status) in [
        (vec![], 403),
        (vec![foreign], 404),
        (vec![("authorization", bearer.as_str()), foreign], 404),
        (vec![("authorization", of_gone.as_str())], 404),
        (
            [&[("authorization", bearer.as_str())], &twice[..]].concat(),
            400,
        ),
        (twice.to_vec(), 400),
    ] {
        let first = ask(&headers).await.ok(status);
        let second = ask(&headers).await.ok(status);
        assert_eq!(left(&first), left(&second) + 1, "{status} {headers:?}");
    }
}
