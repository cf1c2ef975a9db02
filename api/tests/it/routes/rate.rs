//! How much a key and a tenant may ask.

use ringfence_api::domain::rate::RateLimits;
use sqlx::PgPool;

use crate::harness::World;

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
