//! Keys: shown once, kept as a hash, expiring, revocable.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::harness::{Cast, World};

#[sqlx::test(migrations = "../migrations")]
async fn a_key_is_shown_once_and_kept_only_as_a_hash(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let made = world
        .post(
            "/v1/api-keys",
            &cast.admin,
            json!({ "name": "ci", "role": "editor" }),
        )
        .await
        .ok(201);
    let key = made.text("/key");
    assert!(key.starts_with("rf_live_") && key.starts_with(&made.text("/prefix")));
    assert_eq!(
        world.get("/v1/me", &key).await.ok(200).text("/role"),
        "editor"
    );
    let list = world.get("/v1/api-keys", &cast.admin).await.ok(200);
    assert!(!list.text.contains(&key));
    assert_eq!(list.body["data"].as_array().map(Vec::len), Some(5));
    for table in ["api_keys", "operator_keys", "audit_log"] {
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "select t::text from {table} t"
        )))
        .fetch_all(&pool)
        .await
        .expect("rows");
        assert!(
            !rows.is_empty()
                && rows
                    .iter()
                    .all(|row| !row.contains(&key) && !row.contains(&world.operator))
        );
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_works_until_it_expires_and_not_at_that_moment(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let body = json!({ "name": "ci", "role": "viewer", "expires_at": "2026-11-25T12:01:00Z" });
    let key = world
        .post("/v1/api-keys", &cast.owner, body)
        .await
        .ok(201)
        .text("/key");
    world.pass(59);
    world.get("/v1/me", &key).await.ok(200);
    world.pass(1);
    world
        .get("/v1/me", &key)
        .await
        .problem(401, "unauthenticated");
    let past = json!({ "name": "ci", "role": "viewer", "expires_at": "2026-11-25T12:00:00Z" });
    let answer = world
        .post("/v1/api-keys", &cast.owner, past)
        .await
        .problem(422, "validation_failed");
    assert_eq!(answer.pointers(), ["/expires_at"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_revoked_key_stops_with_the_next_request_and_cannot_be_revoked_twice(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let made = world
        .post(
            "/v1/api-keys",
            &cast.owner,
            json!({ "name": "ci", "role": "viewer" }),
        )
        .await
        .ok(201);
    let (id, key) = (made.text("/id"), made.text("/key"));
    world.get("/v1/me", &key).await.ok(200);
    world
        .delete(&format!("/v1/api-keys/{id}"), &cast.admin)
        .await
        .ok(204);
    world
        .get("/v1/me", &key)
        .await
        .problem(401, "unauthenticated");
    world
        .delete(&format!("/v1/api-keys/{id}"), &cast.admin)
        .await
        .problem(404, "not_found");
}

#[sqlx::test(migrations = "../migrations")]
async fn when_a_key_was_last_used_is_known(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    world.pass(3600);
    world.get("/v1/me", &cast.viewer).await.ok(200);
    assert!(used_at(&world, &cast, "viewer", "2026-11-25T13:00:00Z").await);
    let unused = last_used(&world, &cast, "editor").await;
    assert!(unused.is_null(), "{unused}");
    // To the minute: what happens within it is not written again.
    world.pass(59);
    world.get("/v1/me", &cast.viewer).await.ok(200);
    world.pass(1);
    world.get("/v1/me", &cast.viewer).await.ok(200);
    assert!(used_at(&world, &cast, "viewer", "2026-11-25T13:01:00Z").await);
}

async fn last_used(world: &World, cast: &Cast, name: &str) -> Value {
    let list = world.get("/v1/api-keys", &cast.owner).await.ok(200);
    let keys = list.body["data"].as_array().cloned().expect("a list");
    let key = keys.iter().find(|key| key["name"] == name).expect("a key");
    key["last_used_at"].clone()
}

/// The use is written beside the request, so it is there in a moment.
async fn used_at(world: &World, cast: &Cast, name: &str, at: &str) -> bool {
    for _ in 0..300 {
        if last_used(world, cast, name).await == at {
            return true;
        }
    }
    false
}

/// Whoever writes down the use of a key in the same row must not make its next request wait.
#[sqlx::test(migrations = "../migrations")]
async fn a_key_s_request_waits_for_nobody_who_holds_its_row(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    world.pass(3600);
    let mut holding = pool.begin().await.expect("a transaction");
    sqlx::query("select 1 from api_keys for update")
        .fetch_all(&mut *holding)
        .await
        .expect("the rows");
    world.get("/v1/me", &cast.viewer).await.ok(200);
    holding.rollback().await.expect("released");
    assert!(used_at(&world, &cast, "viewer", "2026-11-25T13:00:00Z").await);
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_makes_a_key_that_may_do_more_than_they_may(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let owner = json!({ "name": "more", "role": "owner" });
    world
        .post("/v1/api-keys", &cast.admin, owner.clone())
        .await
        .problem(403, "forbidden");
    world.post("/v1/api-keys", &cast.owner, owner).await.ok(201);
    let answer = world
        .post(
            "/v1/api-keys",
            &cast.owner,
            json!({ "name": "", "role": "god" }),
        )
        .await;
    assert_eq!(
        answer.problem(422, "validation_failed").pointers(),
        ["/name", "/role"]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_revokes_a_key_that_may_do_more_than_they_may(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let list = world.get("/v1/api-keys", &cast.owner).await.ok(200);
    let keys = list.body["data"].as_array().expect("a list");
    let path = |role: &str| {
        let key = keys.iter().find(|key| key["role"] == role);
        let id = key.expect("a key")["id"].as_str().expect("an id");
        format!("/v1/api-keys/{id}")
    };
    world
        .delete(&path("owner"), &cast.admin)
        .await
        .problem(403, "forbidden");
    world.get("/v1/me", &cast.owner).await.ok(200);
    world.delete(&path("admin"), &cast.admin).await.ok(204);
    world.delete(&path("owner"), &cast.owner).await.ok(204);
}
