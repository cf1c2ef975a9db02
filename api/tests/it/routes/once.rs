//! `Idempotency-Key`: sent again, answered again, not done again.

use std::collections::BTreeMap;

use axum::http::Method;
use ringfence_api::background::Found;
use ringfence_api::background::cleanup::Cleanup;
use ringfence_api::http::openapi;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::browser::{Browser, person};
use crate::harness::{Answer, World, wait_until_blocked};
use crate::scene::{Scene, arn, token_issuer, webhook};

const KEY: &str = "2f5a0c1e-6d0b-4a55-8f0e-8d1f1f3b9f10";

/// Operations that store nothing, so that doing them again is doing them once: they take no key.
const STORE_NOTHING: [&str; 3] = ["checks_create", "policies_replay", "policies_validate"];

async fn keyed(world: &World, path: &str, as_whom: &str, key: &str, body: Value) -> Answer {
    world
        .call_with(
            Method::POST,
            path,
            as_whom,
            Some(body),
            &[("idempotency-key", key)],
        )
        .await
}

/// Each path has a key of its own.
async fn import(world: &World, path: &str, as_whom: &str, document: &str) -> Answer {
    let request = axum::http::Request::post(path)
        .header("authorization", format!("Bearer {as_whom}"))
        .header("content-type", "text/csv")
        .header("idempotency-key", path)
        .body(axum::body::Body::from(document.to_owned()))
        .expect("a request");
    world.send(request).await
}

/// A path and a body that each POST takes, in a tenant that has one of everything.
fn examples(scene: &Scene) -> BTreeMap<&'static str, (String, Value)> {
    let tenant_keys = format!("/v1/tenants/{}/api-keys", scene.cast.id);
    let connection = scene.id("connections");
    let instance = scene.id("instances");
    let hook = scene.id("webhooks");
    let key = json!({ "name": "robot", "role": "viewer" });
    let number = json!({ "number": "+12065550199", "reason": "asked" });
    let at = |path: &str, body: Value| (path.to_owned(), body);
    BTreeMap::from([
        (
            "tenants_create",
            at("/v1/tenants", json!({ "name": "Northwind" })),
        ),
        ("tenants_api_keys_create", (tenant_keys, key.clone())),
        ("api_keys_create", at("/v1/api-keys", key)),
        (
            "instances_register",
            at("/v1/instances", json!({ "instance_arn": arn(u32::MAX) })),
        ),
        (
            "connections_rotate_external_id",
            at(
                &format!("/v1/connections/{connection}/rotate-external-id"),
                json!({}),
            ),
        ),
        (
            "installation_reconcile",
            at(
                &format!("/v1/instances/{instance}/installation/reconcile"),
                json!({}),
            ),
        ),
        (
            "instances_coverage_refresh",
            at(
                &format!("/v1/instances/{instance}/coverage/refresh"),
                json!({}),
            ),
        ),
        ("blocks_create", at("/v1/blocks", number.clone())),
        ("exemptions_create", at("/v1/exemptions", number)),
        (
            "numbers_reset",
            at(
                "/v1/numbers/+12065550199/reset",
                json!({ "reason": "asked" }),
            ),
        ),
        ("webhooks_create", at("/v1/webhooks", webhook())),
        (
            "invitations_create",
            at("/v1/invitations", json!({ "role": "viewer" })),
        ),
        (
            "token_issuers_create",
            at("/v1/token-issuers", token_issuer("https://other.example")),
        ),
        (
            "webhooks_rotate_secret",
            at(&format!("/v1/webhooks/{hook}/rotate-secret"), json!({})),
        ),
        (
            "webhooks_test",
            at(&format!("/v1/webhooks/{hook}/test"), json!({})),
        ),
        (
            "webhook_deliveries_resend",
            at(
                &format!("/v1/webhooks/{hook}/deliveries/{}/resend", scene.event),
                json!({}),
            ),
        ),
    ])
}

#[sqlx::test(migrations = "../migrations")]
async fn a_post_that_is_sent_again_is_answered_the_same_and_done_once(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let first_scene = Scene::build(&world, 0).await;
    let operations: Vec<&str> = examples(&first_scene).into_keys().collect();
    for (number, operation) in (1..).zip(operations) {
        // A scene for each, as they would be in each other's way.
        let scene = Scene::build(&world, number).await;
        let (path, body) = examples(&scene)[operation].clone();
        let as_whom = match path.starts_with("/v1/tenants") {
            true => &world.operator,
            false => &scene.cast.owner,
        };
        let first = keyed(&world, &path, as_whom, operation, body.clone()).await;
        assert!(first.status.is_success(), "{operation}: {}", first.text);
        assert_eq!(first.header("idempotent-replayed"), "");
        let rows = audit_rows(&pool).await;
        let again = keyed(&world, &path, as_whom, operation, body).await;
        assert_eq!(again.header("idempotent-replayed"), "true", "{operation}");
        assert_eq!(again.status, first.status, "{operation}");
        assert_eq!(again.text, first.text, "{operation}");
        for name in ["content-type", "etag"] {
            assert_eq!(again.header(name), first.header(name), "{operation}");
        }
        assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
        assert_eq!(audit_rows(&pool).await, rows, "{operation} was done twice");
    }
}

async fn audit_rows(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from audit_log")
        .fetch_one(pool)
        .await
        .expect("a count")
}

/// Whoever adds a POST decides: an example in this file, or the reason why it needs none.
#[sqlx::test(migrations = "../migrations")]
async fn every_post_is_done_once_or_stores_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let scene = Scene::build(&world, 1).await;
    let examples = examples(&scene);
    let document: Value = serde_json::from_str(&openapi::text()).expect("JSON");
    for (path, item) in document["paths"].as_object().expect("paths") {
        let Some(id) = item["post"]["operationId"].as_str() else {
            continue;
        };
        let parameters = item["post"]["parameters"].as_array().expect("parameters");
        let takes_a_key = parameters
            .iter()
            .any(|parameter| parameter["name"] == "Idempotency-Key");
        assert_eq!(takes_a_key, !STORE_NOTHING.contains(&id), "{path}");
        // Imports have their own test; verifying talks to AWS and is tried in the end-to-end tests; invitations are accepted,
        // keys rotated, moves begun and policies rolled back in their own tests.
        let elsewhere = id.ends_with("_import")
            || matches!(
                id,
                "instances_verify"
                    | "invitations_accept"
                    | "api_keys_rotate"
                    | "shard_moves_begin"
                    | "policies_default_roll_back"
                    | "policies_own_roll_back"
            );
        assert!(
            elsewhere || STORE_NOTHING.contains(&id) || examples.contains_key(id),
            "{id} is not tried with an Idempotency-Key"
        );
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn an_import_that_is_sent_again_is_answered_as_the_first_time(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let import =
        async |document: &str| import(&world, "/v1/blocks/import", &cast.owner, document).await;
    let document = "number,reason\n+12065550100,asked\n";
    assert_eq!(import(document).await.ok(200).body["added"], 1);
    let again = import(document).await.ok(200);
    assert_eq!(again.body["added"], 1);
    assert_eq!(again.header("idempotent-replayed"), "true");
    import("number,reason\n+12065550101,asked\n")
        .await
        .problem(422, "idempotency_key_reused");
}

/// Whoever was not told that it is done may ask for longer than what was done lasts.
#[sqlx::test(migrations = "../migrations")]
async fn what_has_expired_since_is_answered_as_the_first_time(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let soon = "2026-11-25T12:01:00Z";
    let listed = |last: u8| {
        let number = format!("+1206555010{last}");
        json!({ "number": number, "reason": "asked", "expires_at": soon })
    };
    let key = json!({ "name": "robot", "role": "viewer", "expires_at": soon });
    let csv = |last: u8| format!("number,reason,expires_at\n+1206555010{last},asked,{soon}\n");
    let all = async || {
        let import =
            async |path: &str, last: u8| import(&world, path, &cast.owner, &csv(last)).await;
        let post =
            async |path: &str, body: Value| keyed(&world, path, &cast.owner, path, body).await;
        [
            post("/v1/api-keys", key.clone()).await.ok(201),
            post("/v1/blocks", listed(0)).await.ok(201),
            post("/v1/exemptions", listed(1)).await.ok(201),
            import("/v1/blocks/import", 2).await.ok(200),
            import("/v1/exemptions/import", 3).await.ok(200),
        ]
    };
    let first = all().await;
    world.pass(60);
    for (again, first) in all().await.iter().zip(&first) {
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(again.text, first.text);
    }
    let late = keyed(&world, "/v1/blocks", &cast.owner, "another", listed(4)).await;
    assert_eq!(
        late.problem(422, "validation_failed").pointers(),
        ["/expires_at"]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_belongs_to_one_request_of_one_caller(pool: PgPool) {
    let world = World::new(pool).await;
    let (cast, other) = (
        world.tenant("Northwind").await,
        world.tenant("Fabrikam").await,
    );
    let number = json!({ "number": "+12065550100", "reason": "asked" });
    keyed(&world, "/v1/blocks", &cast.editor, KEY, number.clone())
        .await
        .ok(201);
    let changed = json!({ "number": "+12065550101", "reason": "asked" });
    keyed(&world, "/v1/blocks", &cast.editor, KEY, changed.clone())
        .await
        .problem(422, "idempotency_key_reused");
    keyed(&world, "/v1/exemptions", &cast.editor, KEY, number.clone())
        .await
        .problem(422, "idempotency_key_reused");
    // The same word of somebody else is another key, in the tenant and outside.
    keyed(&world, "/v1/blocks", &cast.admin, KEY, changed)
        .await
        .ok(201);
    let theirs = keyed(&world, "/v1/blocks", &other.editor, KEY, number)
        .await
        .ok(201);
    assert_eq!(theirs.header("idempotent-replayed"), "");
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_refused_is_worked_out_anew(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let number = json!({ "number": "+12065550100", "reason": "asked" });
    let listed = world
        .post("/v1/exemptions", &cast.editor, number.clone())
        .await
        .ok(201);
    keyed(&world, "/v1/blocks", &cast.editor, KEY, number.clone())
        .await
        .problem(409, "number_listed");
    let exemption = format!("/v1/exemptions/{}", listed.text("/id"));
    world.delete(&exemption, &cast.editor).await.ok(204);
    let made = keyed(&world, "/v1/blocks", &cast.editor, KEY, number)
        .await
        .ok(201);
    assert_eq!(made.header("idempotent-replayed"), "");
}

#[sqlx::test(migrations = "../migrations")]
async fn who_may_not_do_it_any_more_gets_no_answer_of_before(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let number = json!({ "number": "+12065550100", "reason": "asked" });
    keyed(&world, "/v1/blocks", &cast.editor, KEY, number.clone())
        .await
        .ok(201);
    let tenant = format!("/v1/tenants/{}", cast.id);
    let suspended = json!({ "status": "suspended" });
    world
        .call(Method::PATCH, &tenant, &world.operator, Some(suspended))
        .await
        .ok(200);
    keyed(&world, "/v1/blocks", &cast.editor, KEY, number)
        .await
        .problem(403, "tenant_suspended");
}

#[sqlx::test(migrations = "../migrations")]
async fn duplicates_at_the_same_time_are_done_once_and_all_get_the_answer(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let number = json!({ "number": "+12065550100", "reason": "asked" });
    let posts = (0..8).map(|_| keyed(&world, "/v1/blocks", &cast.editor, KEY, number.clone()));
    let answers = futures::future::join_all(posts).await;
    let first = answers
        .iter()
        .filter(|answer| answer.header("idempotent-replayed").is_empty());
    assert_eq!(first.count(), 1);
    for answer in &answers {
        assert_eq!(
            (answer.status.as_u16(), &answer.text),
            (201, &answers[0].text)
        );
    }
}

/// Whoever accepts is somebody else to the tenant from then on, and has to get the answer all the same.
#[sqlx::test(migrations = "../migrations")]
async fn an_acceptance_that_is_sent_again_is_answered_as_the_first_time(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool.clone(), &[]).await;
    let cast = world.tenant("Northwind").await;
    let role = json!({ "role": "viewer" });
    let link = world.post("/v1/invitations", &cast.owner, role).await;
    let link = link.ok(201).text("/link");
    let token = link.split_once('#').expect("a token").1;
    let ada = Browser::signed_in(&world, &openid, &person("Ada")).await;
    let accept = async || {
        let headers = [("idempotency-key", KEY)];
        let body = Some(json!({ "token": token }));
        ada.call_for(Method::POST, "/v1/invitations/accept", body, &headers)
            .await
            .ok(200)
    };
    let first = accept().await;
    let rows = audit_rows(&pool).await;
    let again = accept().await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.text, first.text);
    assert_eq!(audit_rows(&pool).await, rows);
}

/// Held open by hand, so that the duplicate is sure to come meanwhile.
#[sqlx::test(migrations = "../migrations")]
async fn a_duplicate_waits_for_the_first_one(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    // The lists are locked, so the first request stops in the middle of its transaction, with its key claimed.
    let mut lock = pool.begin().await.expect("a transaction");
    sqlx::query("lock table number_lists")
        .execute(&mut *lock)
        .await
        .expect("locked");
    let number = json!({ "number": "+12065550100", "reason": "asked" });
    let post = || keyed(&world, "/v1/blocks", &cast.editor, KEY, number.clone());
    let both = async { tokio::join!(post(), post()) };
    let release = async {
        wait_until_blocked(&pool, 2).await;
        lock.rollback().await.expect("released");
    };
    let ((one, other), ()) = tokio::join!(both, release);
    let replayed = [&one, &other].map(|answer| answer.header("idempotent-replayed") == "true");
    assert!(replayed == [true, false] || replayed == [false, true]);
    assert_eq!(one.ok(201).text, other.ok(201).text);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_kept_answer_cannot_be_read_from_the_database(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let body = json!({ "name": "robot", "role": "viewer" });
    let made = keyed(&world, "/v1/api-keys", &cast.owner, KEY, body)
        .await
        .ok(201);
    let key = made.text("/key");
    let kept: Vec<Vec<u8>> = sqlx::query_scalar("select answer from kept_answers")
        .fetch_all(&pool)
        .await
        .expect("answers");
    assert_eq!(kept.len(), 1);
    for part in [key.as_bytes(), b"robot", b"rf_live_"] {
        assert!(!kept[0].windows(part.len()).any(|window| window == part));
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_is_forgotten_after_a_day_and_swept_away(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let body = json!({ "name": "Northwind" });
    let post = async || {
        keyed(&world, "/v1/tenants", &world.operator, KEY, body.clone())
            .await
            .ok(201)
    };
    let first = post().await;
    world.pass(24 * 3600);
    assert_eq!(post().await.text("/id"), first.text("/id"));
    world.pass(1);
    let second = post().await;
    assert_ne!(second.text("/id"), first.text("/id"));
    assert_eq!(post().await.text("/id"), second.text("/id"));

    let cleanup = Cleanup {
        store: world.store.clone(),
        clock: world.clock.clone(),
    };
    assert_eq!(cleanup.look().await.expect("looked"), Found::Nothing);
    world.pass(24 * 3600 + 1);
    assert_eq!(cleanup.look().await.expect("looked"), Found::Work);
    let kept: i64 = sqlx::query_scalar("select count(*) from kept_answers")
        .fetch_one(&pool)
        .await
        .expect("a count");
    assert_eq!(kept, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_that_is_none_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let body = json!({ "name": "Northwind" });
    let long = "k".repeat(256);
    for key in ["", long.as_str(), "caf\u{e9}"] {
        let answer = keyed(&world, "/v1/tenants", &world.operator, key, body.clone()).await;
        let answer = answer.problem(400, "malformed_request");
        assert!(answer.text("/detail").contains("Idempotency-Key"));
    }
}
