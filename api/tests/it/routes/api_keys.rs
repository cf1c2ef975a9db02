//! Keys: shown once, kept as a hash, expiring, revocable.

use axum::http::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::sessions::member;
use crate::harness::{Cast, World};
use crate::scene::token_issuer;

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
async fn an_expiry_is_answered_as_finely_as_it_is_kept(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let finer =
        json!({ "name": "ci", "role": "viewer", "expires_at": "2027-01-01T00:00:00.123456789Z" });
    let made = world.post("/v1/api-keys", &cast.owner, finer).await.ok(201);
    let kept = "2027-01-01T00:00:00.123456Z";
    assert_eq!(made.body["expires_at"], kept);
    let list = world.get("/v1/api-keys", &cast.owner).await.ok(200);
    let mut shown = list.body["data"].as_array().expect("a list").iter();
    let shown = shown.find(|key| key["id"] == made.body["id"]);
    assert_eq!(shown.expect("the key")["expires_at"], kept);
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
    let log = "/v1/audit-log?action=api_key.revoke";
    let log = world.get(log, &cast.admin).await.ok(200);
    assert_eq!(log.text("/data/0/before/name"), "ci");
    assert_eq!(log.text("/data/0/before/role"), "viewer");
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

async fn rotated(world: &World, cast: &Cast, id: &str, overlap: i64) -> String {
    let path = format!("/v1/api-keys/{id}/rotate");
    let body = json!({ "overlap_seconds": overlap });
    let answer = world.post(&path, &cast.owner, body).await.ok(200);
    assert_eq!(answer.text("/id"), id);
    let key = answer.text("/key");
    assert!(key.starts_with(&answer.text("/prefix")));
    key
}

#[sqlx::test(migrations = "../migrations")]
async fn a_rotated_key_s_old_secret_works_as_long_as_was_asked_and_no_longer(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let body = json!({ "name": "ci", "role": "editor" });
    let made = world.post("/v1/api-keys", &cast.owner, body).await.ok(201);
    let (id, first) = (made.text("/id"), made.text("/key"));
    let works = async |key: &str| world.get("/v1/me", key).await.status == 200;
    let second = rotated(&world, &cast, &id, 3600).await;
    world.pass(3599);
    assert!(works(&first).await && works(&second).await);
    world.pass(1);
    assert!(!works(&first).await && works(&second).await);

    // A second rotation ends what was still in its overlap; one without overlap ends the old secret at once.
    let third = rotated(&world, &cast, &id, 3600).await;
    let fourth = rotated(&world, &cast, &id, 3600).await;
    assert!(!works(&second).await && works(&third).await && works(&fourth).await);
    let fifth = rotated(&world, &cast, &id, 0).await;
    assert!(!works(&third).await && !works(&fourth).await && works(&fifth).await);

    world
        .delete(&format!("/v1/api-keys/{id}"), &cast.owner)
        .await
        .ok(204);
    assert!(!works(&fifth).await);
    let path = format!("/v1/api-keys/{id}/rotate");
    world
        .post(&path, &cast.owner, json!({}))
        .await
        .problem(404, "not_found");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_revoked_key_s_secret_in_overlap_ends_with_it_and_an_expired_one_is_not_revived(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let body = json!({ "name": "ci", "role": "editor", "expires_at": "2026-11-25T13:00:00Z" });
    let made = world.post("/v1/api-keys", &cast.owner, body).await.ok(201);
    let (id, first) = (made.text("/id"), made.text("/key"));
    let second = rotated(&world, &cast, &id, 7 * 86_400).await;
    world.pass(3600);
    for key in [&first, &second] {
        world
            .get("/v1/me", key)
            .await
            .problem(401, "unauthenticated");
    }
    let path = format!("/v1/api-keys/{id}/rotate");
    world
        .post(&path, &cast.owner, json!({}))
        .await
        .problem(409, "conflict");

    let body = json!({ "name": "ci", "role": "viewer" });
    let made = world.post("/v1/api-keys", &cast.owner, body).await.ok(201);
    let (id, first) = (made.text("/id"), made.text("/key"));
    rotated(&world, &cast, &id, 3600).await;
    world
        .delete(&format!("/v1/api-keys/{id}"), &cast.owner)
        .await
        .ok(204);
    world
        .get("/v1/me", &first)
        .await
        .problem(401, "unauthenticated");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_rotation_gives_nobody_a_key_that_may_do_more_than_they_may(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let list = world.get("/v1/api-keys", &cast.owner).await.ok(200);
    let keys = list.body["data"].as_array().cloned().expect("a list");
    let owner = keys
        .iter()
        .find(|key| key["name"] == "owner")
        .expect("the owner's key");
    let path = format!(
        "/v1/api-keys/{}/rotate",
        owner["id"].as_str().expect("an id")
    );
    world
        .post(&path, &cast.admin, json!({}))
        .await
        .problem(403, "forbidden");
    world.get("/v1/me", &cast.owner).await.ok(200);
    for overlap in [json!(-1), json!(604_801), json!("1"), json!(1.5)] {
        let body = json!({ "overlap_seconds": overlap });
        let faults = world.post(&path, &cast.owner, body).await;
        assert_eq!(
            faults.problem(422, "validation_failed").pointers(),
            ["/overlap_seconds"]
        );
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_s_scopes_narrow_its_role_and_it_gives_no_more_than_they_allow(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let make = async |by: &str, role: &str, scopes: Value| {
        let body = json!({ "name": "scoped", "role": role, "scopes": scopes });
        world.post("/v1/api-keys", by, body).await
    };
    let made = make(&cast.owner, "owner", json!(["tenant:view", "keys:manage"]))
        .await
        .ok(201);
    assert_eq!(made.body["scopes"], json!(["tenant:view", "keys:manage"]));
    let key = made.text("/key");
    world.get("/v1/instances", &key).await.ok(200);
    world
        .get("/v1/api-keys", &key)
        .await
        .problem(403, "forbidden");
    world
        .put("/v1/policies/default", &key, json!({ "rules": [] }))
        .await
        .problem(403, "forbidden");
    // It makes keys, but none that may do more than it may itself.
    make(&key, "viewer", json!(["tenant:view"])).await.ok(201);
    make(&key, "viewer", Value::Null)
        .await
        .problem(403, "forbidden");
    make(&key, "owner", json!(["members:manage"]))
        .await
        .problem(403, "forbidden");
    let list = world.get("/v1/api-keys", &cast.owner).await.ok(200);
    let keys = list.body["data"].as_array().cloned().expect("a list");
    let viewer = keys
        .iter()
        .find(|key| key["name"] == "viewer")
        .expect("the viewer's key");
    let path = format!(
        "/v1/api-keys/{}/rotate",
        viewer["id"].as_str().expect("an id")
    );
    world
        .post(&path, &key, json!({}))
        .await
        .problem(403, "forbidden");

    let inviter = make(&cast.owner, "owner", json!(["members:manage"]))
        .await
        .ok(201)
        .text("/key");
    world
        .post("/v1/invitations", &inviter, json!({ "role": "viewer" }))
        .await
        .problem(403, "forbidden");
    for (role, scopes) in [
        ("viewer", json!(["policies:edit"])),
        ("owner", json!(["everything"])),
        ("owner", json!([])),
        ("owner", json!("tenant:view")),
    ] {
        let faults = make(&cast.owner, role, scopes).await;
        assert_eq!(
            faults.problem(422, "validation_failed").pointers(),
            ["/scopes"]
        );
    }
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

#[sqlx::test(migrations = "../migrations")]
async fn a_key_that_expires_makes_none_that_works_for_longer(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let make = async |by: &str, expires_at: Value| {
        let body = json!({ "name": "robot", "role": "admin", "expires_at": expires_at });
        world.post("/v1/api-keys", by, body).await
    };
    let soon = json!("2026-11-25T13:00:00Z");
    let made = make(&cast.owner, soon.clone()).await.ok(201);
    let (id, short) = (made.text("/id"), made.text("/key"));
    for later in [Value::Null, json!("2026-11-25T13:00:01Z")] {
        let refused = make(&short, later).await.problem(422, "validation_failed");
        assert_eq!(refused.pointers(), ["/expires_at"]);
    }
    make(&short, soon).await.ok(201);
    // Nor does it get at one by a new secret.
    let rotate = async |id: &str| {
        let path = format!("/v1/api-keys/{id}/rotate");
        world.post(&path, &short, json!({})).await
    };
    let lasting = make(&cast.owner, Value::Null).await.ok(201);
    rotate(&lasting.text("/id")).await.problem(403, "forbidden");
    rotate(&id).await.ok(200);
}

/// An answer that is lost would lock out for ever who asked.
#[sqlx::test(migrations = "../migrations")]
async fn a_key_that_rotates_itself_goes_on_for_as_long_as_it_takes_to_ask_again(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let body = json!({ "name": "robot", "role": "admin" });
    let made = world.post("/v1/api-keys", &cast.owner, body).await.ok(201);
    let path = format!("/v1/api-keys/{}/rotate", made.text("/id"));
    for overlap in [0, 59] {
        let body = json!({ "overlap_seconds": overlap });
        let refused = world.post(&path, &made.text("/key"), body).await;
        let pointers = refused.problem(422, "validation_failed").pointers();
        assert_eq!(pointers, ["/overlap_seconds"]);
    }
    let again = [("idempotency-key", "one")];
    let ask = async || {
        let body = Some(json!({ "overlap_seconds": 60 }));
        world
            .call_with(Method::POST, &path, &made.text("/key"), body, &again)
            .await
            .ok(200)
    };
    assert_eq!(ask().await.text("/key"), ask().await.text("/key"));
}

async fn logged(world: &World, cast: &Cast, action: &str) -> Value {
    let log = format!("/v1/audit-log?action={action}");
    let log = world.get(&log, &cast.owner).await.ok(200);
    log.body["data"][0].clone()
}

#[sqlx::test(migrations = "../migrations")]
async fn the_audit_log_tells_all_that_was_asked_for_of_a_key(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let body = json!({
        "name": "ci", "role": "editor", "scopes": ["tenant:view"], "expires_at": "2026-11-25T13:00:00Z",
    });
    let made = world.post("/v1/api-keys", &cast.owner, body.clone()).await;
    let path = format!("/v1/api-keys/{}", made.ok(201).text("/id"));
    let rotation = json!({ "overlap_seconds": 3600 });
    let rotate = format!("{path}/rotate");
    let rotated = world.post(&rotate, &cast.owner, rotation.clone()).await;
    let prefix = rotated.ok(200).text("/prefix");
    world.delete(&path, &cast.owner).await.ok(204);
    let created = logged(&world, &cast, "api_key.create").await;
    let rotated = logged(&world, &cast, "api_key.rotate").await;
    let revoked = logged(&world, &cast, "api_key.revoke").await;
    for (row, asked) in [
        (&created["after"], &body),
        (&rotated["before"], &body),
        (&rotated["after"], &body),
        (&rotated["after"], &rotation),
        (&revoked["before"], &body),
    ] {
        for (name, value) in asked.as_object().expect("members") {
            assert_eq!(&row[name], value, "{name} in {row}");
        }
    }
    assert_eq!(rotated["before"]["prefix"], created["after"]["prefix"]);
    assert_eq!(rotated["after"]["prefix"], prefix);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_that_expires_makes_nothing_else_that_outlasts_it(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let cast = world.tenant("Northwind").await;
    member(&world, &openid, "Vera", &[(&cast, "editor")]).await;
    let members = world.get("/v1/members", &cast.owner).await.ok(200);
    let vera = format!("/v1/members/{}", members.text("/data/0/id"));
    let key = async |expires_at: Value| {
        let body = json!({ "name": "robot", "role": "admin", "expires_at": expires_at });
        let made = world.post("/v1/api-keys", &cast.owner, body).await;
        made.ok(201).text("/key")
    };
    let (short, lasting) = (
        key(json!("2026-11-25T13:00:00Z")).await,
        key(Value::Null).await,
    );
    let change = async |by: &str, role: &str| {
        let body = Some(json!({ "role": role }));
        world.call(Method::PATCH, &vera, by, body).await
    };
    for (path, body) in [
        ("/v1/token-issuers", token_issuer("https://login.example")),
        ("/v1/invitations", json!({ "role": "viewer" })),
    ] {
        let refused = world.post(path, &short, body.clone()).await;
        let refused = refused.problem(403, "forbidden");
        assert!(refused.text("/detail").contains("a key that expires"));
        world.post(path, &lasting, body).await.ok(201);
    }
    let refused = change(&short, "admin").await.problem(403, "forbidden");
    assert!(refused.text("/detail").contains("a key that expires"));
    change(&short, "viewer").await.ok(200);
    change(&lasting, "admin").await.ok(200);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_a_revoked_key_had_invited_to_is_not_on_offer_any_more(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let body = json!({ "name": "robot", "role": "admin" });
    let made = world.post("/v1/api-keys", &cast.owner, body).await.ok(201);
    let role = json!({ "role": "editor" });
    for by in [&made.text("/key"), &cast.admin] {
        world
            .post("/v1/invitations", by, role.clone())
            .await
            .ok(201);
    }
    let path = format!("/v1/api-keys/{}", made.text("/id"));
    world.delete(&path, &cast.owner).await.ok(204);
    let open = world.get("/v1/invitations", &cast.owner).await.ok(200);
    assert_eq!(open.body["data"].as_array().map(Vec::len), Some(1));
    let own = format!("api_key:{}", made.text("/id"));
    assert_ne!(open.text("/data/0/invited_by"), own);
    let told = logged(&world, &cast, "invitation.withdraw").await;
    assert_eq!(told["before"]["role"], "editor");
}
