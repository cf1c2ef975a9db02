//! What a session lets a browser do, for how long, and what other sites cannot make it do.

use axum::http::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::browser::{Browser, SESSION, person};
use crate::harness::{Answer, Cast, World};
use crate::openid::OpenId;

/// Somebody who has signed in and is a member of these tenants with these roles.
pub async fn member<'a>(
    world: &'a World,
    openid: &OpenId,
    name: &str,
    of: &[(&Cast, &str)],
) -> Browser<'a> {
    let browser = Browser::signed_in(world, openid, &person(name)).await;
    for (cast, role) in of {
        join(world, cast, &browser, role).await;
    }
    browser
}

async fn join(world: &World, cast: &Cast, browser: &Browser<'_>, role: &str) -> Answer {
    let made = world
        .post("/v1/invitations", &cast.owner, json!({ "role": role }))
        .await;
    let link = made.ok(201).text("/link");
    let (_, token) = link.split_once('#').expect("a token");
    let token = Some(json!({ "token": token }));
    browser
        .call(Method::POST, "/v1/invitations/accept", token)
        .await
        .ok(200)
}

#[sqlx::test(migrations = "../migrations")]
async fn other_sites_cannot_act_through_a_signed_in_browser(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let cast = world.tenant("Northwind").await;
    let ada = member(&world, &openid, "Ada", &[(&cast, "owner")]).await;
    let token = ada.csrf_token.clone();
    let key = Some(json!({ "name": "stolen", "role": "owner" }));
    let post = async |headers: &[(&str, &str)]| {
        ada.send(Method::POST, "/v1/api-keys", key.clone(), headers)
            .await
    };
    for headers in [
        &[][..],
        &[("origin", "https://evil.example")],
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example"),
        ],
        &[("sec-fetch-site", "same-origin")],
        &[("x-csrf-token", token.as_str())],
        &[
            ("x-csrf-token", token.as_str()),
            ("origin", "https://evil.example"),
        ],
        &[("x-csrf-token", "guess"), ("sec-fetch-site", "same-origin")],
    ] {
        post(headers).await.problem(403, "cross_site");
    }
    ada.send(
        Method::DELETE,
        "/v1/session",
        None,
        &[("origin", "https://evil.example")],
    )
    .await
    .problem(403, "cross_site");
    post(&[
        ("x-csrf-token", token.as_str()),
        ("origin", "https://ringfence.example"),
    ])
    .await
    .ok(201);
    // Who sends a credential of its own is not judged by the cookie that comes along.
    let bearer = format!("Bearer {}", cast.viewer);
    post(&[("authorization", bearer.as_str())])
        .await
        .problem(403, "forbidden");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_session_is_a_cookie_and_no_bearer_credential(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let ada = Browser::signed_in(&world, &openid, &person("Ada")).await;
    let secret = &ada.cookies[SESSION];
    world
        .get("/v1/me", secret)
        .await
        .problem(401, "unauthenticated");
    // With an Authorization header that is wrong, the cookie does not help.
    ada.send(
        Method::GET,
        "/v1/me",
        None,
        &[("authorization", "Basic eA==")],
    )
    .await
    .problem(401, "unauthenticated");
    let mut forged = Browser::new(&world);
    forged
        .cookies
        .insert(SESSION.to_owned(), format!("{secret}x"));
    forged.go("/v1/me").await.problem(401, "unauthenticated");
    // Without TLS's protection the name is another, which is not read here.
    let mut unprotected = Browser::new(&world);
    unprotected
        .cookies
        .insert("ringfence_session".to_owned(), secret.clone());
    unprotected
        .go("/v1/me")
        .await
        .problem(401, "unauthenticated");
}

#[sqlx::test(migrations = "../migrations")]
async fn signing_out_ends_the_session_here_and_signing_in_anew_ends_the_old_one(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool.clone(), &[]).await;
    let mut ada = Browser::signed_in(&world, &openid, &person("Ada")).await;
    let elsewhere = Browser::signed_in(&world, &openid, &person("Ada")).await;
    let first = ada.cookies.clone();
    ada.sign_in(&openid, &person("Ada"), "/auth/sign-in").await;
    let mut old = Browser::new(&world);
    old.cookies = first;
    old.go("/v1/me").await.problem(401, "unauthenticated");

    let out = ada.call(Method::DELETE, "/v1/session", None).await.ok(204);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    ada.go("/v1/me").await.problem(401, "unauthenticated");
    elsewhere.call(Method::GET, "/v1/me", None).await.ok(200);
    let told: Vec<String> = sqlx::query_scalar(
        "select action from audit_log where action like 'session.%' order by seq",
    )
    .fetch_all(&pool)
    .await
    .expect("rows");
    assert_eq!(
        told,
        [
            "session.open",
            "session.open",
            "session.end",
            "session.open",
            "session.end"
        ]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_session_s_beginning_and_its_end_are_in_the_log_of_each_tenant_of_the_person(
    pool: PgPool,
) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let (one, two) = (world.tenant("One").await, world.tenant("Two").await);
    let mut ada = member(&world, &openid, "Ada", &[(&one, "owner"), (&two, "viewer")]).await;
    ada.sign_in(&openid, &person("Ada"), "/auth/sign-in").await;
    // Out, in a request that is about one of them.
    let named = [("ringfence-tenant", one.id.as_str())];
    ada.call_for(Method::DELETE, "/v1/session", None, &named)
        .await
        .ok(204);
    for cast in [&one, &two] {
        let rows = async |action: &str| -> Vec<(String, String)> {
            let log = format!("/v1/audit-log?action={action}");
            let log = world.get(&log, &cast.owner).await.ok(200);
            let rows = log.body["data"].as_array().cloned().expect("a list");
            let text = |row: &Value, name: &str| row[name].as_str().expect("text").to_owned();
            rows.iter()
                .map(|row| (text(row, "actor"), text(row, "target")))
                .collect()
        };
        let (opened, ended) = (rows("session.open").await, rows("session.end").await);
        // The first was opened by nobody's member.
        assert_eq!((opened.len(), ended.len()), (1, 2), "{opened:?} {ended:?}");
        assert_eq!(opened[0], ended[0]);
        assert_ne!(ended[0].1, ended[1].1, "the one before");
        assert!(ended.iter().all(|(actor, _)| actor.starts_with("member:")));
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn another_name_or_address_at_a_sign_in_is_in_the_log_of_each_tenant_without_being_told(
    pool: PgPool,
) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let (one, two) = (world.tenant("One").await, world.tenant("Two").await);
    let mut ada = member(&world, &openid, "Ada", &[(&one, "owner"), (&two, "viewer")]).await;
    let mut moved = person("Ada");
    moved["email"] = json!("lovelace@example.com");
    for who in [&person("Ada"), &moved, &moved] {
        ada.sign_in(&openid, who, "/auth/sign-in").await;
    }
    for cast in [&one, &two] {
        let members = world.get("/v1/members", &cast.owner).await.ok(200);
        assert_eq!(members.text("/data/0/email"), "lovelace@example.com");
        let log = "/v1/audit-log?action=member.update";
        let log = world.get(log, &cast.owner).await.ok(200);
        assert_eq!(log.body["data"].as_array().map(Vec::len), Some(1));
        let id = members.text("/data/0/id");
        assert_eq!(log.text("/data/0/actor"), format!("member:{id}"));
        assert_eq!(log.text("/data/0/target"), id);
        assert_eq!(
            log.body["data"][0]["after"],
            json!({ "changed": ["email"] })
        );
        assert!(!log.text.contains("example.com"), "{}", log.text);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_session_ends_when_it_lies_idle_and_after_a_day_in_any_case(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool.clone(), &[]).await;
    let mut ada = Browser::signed_in(&world, &openid, &person("Ada")).await;
    let mut idle = Browser::signed_in(&world, &openid, &person("Ben")).await;
    let used = async || -> bool {
        // The use is written beside the request.
        let written = "select max(used_at) = $1::timestamptz from sessions";
        let now = world.clock.now().to_string();
        for _ in 0..500 {
            let done: bool = sqlx::query_scalar(written)
                .bind(&now)
                .fetch_one(&pool)
                .await
                .expect("a row");
            if done {
                return true;
            }
            tokio::task::yield_now().await;
        }
        false
    };
    for _ in 0..3 {
        world.pass(8 * 3600 - 1);
        ada.go("/v1/me").await.ok(200);
        assert!(used().await, "the use was not written down");
    }
    idle.go("/v1/me").await.problem(401, "unauthenticated");
    world.pass(3);
    ada.go("/v1/me").await.problem(401, "unauthenticated");
    Browser::signed_in(&world, &openid, &person("Eve")).await;
    let left: i64 = sqlx::query_scalar("select count(*) from sessions")
        .fetch_one(&pool)
        .await
        .expect("a count");
    assert_eq!(left, 1, "sessions that are over are swept");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_member_of_several_tenants_names_the_one_that_a_request_is_about(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let (one, two) = (world.tenant("One").await, world.tenant("Two").await);
    let strange = world.tenant("Strange").await;
    let single = member(&world, &openid, "Ben", &[(&one, "editor")]).await;
    let me = single.call(Method::GET, "/v1/me", None).await.ok(200);
    assert_eq!(me.text("/tenant/name"), "One");
    assert_eq!(me.text("/role"), "editor");
    assert!(me.text("/member_id").starts_with("mem_"));

    let ada = member(&world, &openid, "Ada", &[(&one, "owner"), (&two, "viewer")]).await;
    let me = ada.call(Method::GET, "/v1/me", None).await.ok(200);
    assert!(me.body["tenant"].is_null());
    let names: Vec<&str> = me.body["memberships"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["tenant"]["name"].as_str())
        .collect();
    assert_eq!(names, ["One", "Two"]);
    ada.call(Method::GET, "/v1/instances", None)
        .await
        .problem(400, "malformed_request");
    let key = json!({ "name": "ci", "role": "viewer" });
    for (tenant, status) in [(&one, 201), (&two, 403), (&strange, 404)] {
        let headers = [("ringfence-tenant", tenant.id.as_str())];
        let made = ada
            .call_for(Method::POST, "/v1/api-keys", Some(key.clone()), &headers)
            .await;
        assert_eq!(made.status, status, "{}", made.text);
    }
    let nowhere = [("ringfence-tenant", "ten_01890000000070008000000000000000")];
    let missing = ada
        .call_for(Method::GET, "/v1/me", None, &nowhere)
        .await
        .ok(404);
    let foreign = [("ringfence-tenant", strange.id.as_str())];
    let foreign = ada
        .call_for(Method::GET, "/v1/me", None, &foreign)
        .await
        .ok(404);
    assert_eq!(missing.without_request_id(), foreign.without_request_id());
}

/// Whatever they do is done with an operator's rights.
#[sqlx::test(migrations = "../migrations")]
async fn an_operator_who_is_also_a_member_is_on_record_as_an_operator(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &["groups=operators"]).await;
    let cast = world.tenant("Northwind").await;
    let ada = Browser::signed_in(&world, &openid, &person("Ada")).await;
    let accepted = join(&world, &cast, &ada, "viewer").await;
    let mut operator = person("Ada");
    operator["groups"] = json!(["operators"]);
    let ada = Browser::signed_in(&world, &openid, &operator).await;
    let me = ada.call(Method::GET, "/v1/me", None).await.ok(200);
    let headers = [("ringfence-tenant", cast.id.as_str())];
    let body = Some(json!({ "number": "+12065550100", "reason": "asked" }));
    let made = ada
        .call_for(Method::POST, "/v1/blocks", body, &headers)
        .await
        .ok(201);
    let operator = format!("operator:{}", me.text("/subject"));
    assert_eq!(made.text("/created_by"), operator);
    let log = world
        .get("/v1/audit-log?action=block.create", &cast.owner)
        .await
        .ok(200);
    assert_eq!(log.text("/data/0/actor"), operator);
    assert_ne!(operator, format!("member:{}", accepted.text("/member_id")));
}

#[sqlx::test(migrations = "../migrations")]
async fn whose_only_tenant_is_being_deleted_is_signed_in_all_the_same_and_can_join_another(
    pool: PgPool,
) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let (cast, next) = (world.tenant("Northwind").await, world.tenant("Next").await);
    let mut ada = member(&world, &openid, "Ada", &[(&cast, "owner")]).await;
    let path = format!("/v1/tenants/{}", cast.id);
    world.delete(&path, &world.operator).await.ok(202);
    let me = ada.go("/v1/me").await.ok(200);
    assert!(me.body["tenant"].is_null() && me.body["role"].is_null());
    assert_eq!(me.body["memberships"], json!([]));
    ada.go("/v1/instances").await.problem(403, "forbidden");
    let named = [("ringfence-tenant", cast.id.as_str())];
    ada.call_for(Method::GET, "/v1/me", None, &named)
        .await
        .problem(404, "not_found");

    join(&world, &next, &ada, "viewer").await;
    let me = ada.go("/v1/me").await.ok(200);
    assert_eq!(me.text("/tenant/name"), "Next");
    ada.call(Method::DELETE, "/v1/session", None).await.ok(204);
    ada.sign_in(&openid, &person("Ada"), "/auth/sign-in").await;
    ada.go("/v1/me").await.ok(200);
}

#[sqlx::test(migrations = "../migrations")]
async fn of_two_tenants_that_are_named_none_is_taken(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let (one, two) = (world.tenant("One").await, world.tenant("Two").await);
    let ada = member(&world, &openid, "Ada", &[(&one, "owner"), (&two, "owner")]).await;
    let both = [
        ("ringfence-tenant", one.id.as_str()),
        ("ringfence-tenant", two.id.as_str()),
    ];
    ada.call_for(Method::GET, "/v1/instances", None, &both)
        .await
        .problem(400, "malformed_request");
}
