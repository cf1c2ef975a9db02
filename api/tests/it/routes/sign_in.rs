//! Signing in with an OpenID provider, and every way in which it must not end in a session.

use axum::http::Method;
use futures::FutureExt as _;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::browser::{Browser, SESSION, person};
use crate::harness::World;

const ATTEMPT: &str = "__Host-ringfence_sign_in";

#[sqlx::test(migrations = "../migrations")]
async fn a_person_comes_back_to_where_they_wanted_to_go_and_is_known(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool.clone(), &[]).await;
    let mut browser = Browser::new(&world);
    let end = browser
        .sign_in(
            &openid,
            &person("Ada"),
            "/auth/sign-in?return_to=%2Fdecisions%3Foutcome%3Ddenied",
        )
        .await;
    assert_eq!(end.header("location"), "/decisions?outcome=denied");
    assert!(!browser.cookies.contains_key(ATTEMPT));
    let me = browser.go("/v1/me").await.ok(200);
    assert_eq!(me.body["kind"], "session");
    assert_eq!(me.body["name"], "Ada");
    assert_eq!(me.body["email"], "ada@example.com");
    assert!(me.body["tenant"].is_null() && me.body["role"].is_null());
    assert_eq!(me.body["memberships"], json!([]));
    assert!(me.text("/subject").starts_with("per_"));
    // Somebody who belongs nowhere sees nothing, and is told what to do.
    let refused = browser.go("/v1/instances").await.problem(403, "forbidden");
    assert!(refused.text("/detail").contains("invitation"));
    let secret = &browser.cookies[SESSION];
    let row: String = sqlx::query_scalar("select s::text from sessions s")
        .fetch_one(&pool)
        .await
        .expect("a session");
    assert!(
        !row.contains(secret.as_str()),
        "the cookie's secret is kept"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_is_sent_to_another_site(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    for elsewhere in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/%09/evil.example",
        "javascript:alert(1)",
        "decisions",
        "/.//evil.example",
    ] {
        let asked: String = url::form_urlencoded::byte_serialize(elsewhere.as_bytes()).collect();
        let mut browser = Browser::new(&world);
        let begin = format!("/auth/sign-in?return_to={asked}");
        let end = browser.sign_in(&openid, &person("Ada"), &begin).await;
        let place = end.header("location");
        let own = place.starts_with('/') && !place.starts_with("//") && !place.contains('\\');
        assert!(own, "{elsewhere} led to {place}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn only_the_browser_that_began_can_finish(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool.clone(), &[]).await;
    let mut ada = Browser::new(&world);
    let mut eve = Browser::new(&world);
    let away = ada.go("/auth/sign-in").await.ok(303);
    let back = openid.approve(away.header("location"), &person("Eve"));
    eve.go("/auth/sign-in").await.ok(303);
    let (path, state) = back.rsplit_once("&state=").expect("a state");
    let mut nobody = Browser::new(&world);
    for (case, browser, place) in [
        (
            "another browser, with an attempt of its own",
            &mut eve,
            back.clone(),
        ),
        ("a browser without an attempt", &mut nobody, back.clone()),
        ("another state", &mut ada, format!("{path}&state={state}x")),
    ] {
        let end = browser.go(&place).await.ok(303);
        assert_eq!(end.header("location"), "/?sign_in=expired", "{case}");
        assert!(!browser.cookies.contains_key(SESSION), "{case}");
    }
    // One attempt, one answer: it is over for the browser that began, too.
    ada.go(&back).await.ok(303);
    assert!(!ada.cookies.contains_key(SESSION));

    let away = ada.go("/auth/sign-in").await.ok(303);
    let back = openid.approve(away.header("location"), &person("Ada"));
    world.pass(15 * 60);
    let late = ada.go(&back).await.ok(303);
    assert_eq!(late.header("location"), "/?sign_in=expired");

    let away = ada.go("/auth/sign-in").await.ok(303);
    openid.approve(away.header("location"), &person("Ada"));
    let denied = ada
        .go("/auth/callback?error=access_denied&state=x")
        .await
        .ok(303);
    assert_eq!(denied.header("location"), "/?sign_in=denied");
    let sessions: i64 = sqlx::query_scalar("select count(*) from sessions")
        .fetch_one(&pool)
        .await
        .expect("a count");
    assert_eq!(sessions, 0);
}

/// A code that somebody caught on its way is of no use without the verifier, which never left the browser that began.
#[sqlx::test(migrations = "../migrations")]
async fn a_code_works_only_with_the_verifier_of_its_attempt_and_only_once(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let (mut ada, mut eve) = (Browser::new(&world), Browser::new(&world));
    let away = ada.go("/auth/sign-in").await.ok(303);
    let back = openid.approve(away.header("location"), &person("Ada"));
    let code = back.split_once("code=").expect("a code").1;
    let code = code.split('&').next().expect("a code");
    let away = eve.go("/auth/sign-in").await.ok(303);
    let own = openid.approve(away.header("location"), &person("Eve"));
    let state = own.rsplit_once("&state=").expect("a state").1;
    let end = eve
        .go(&format!("/auth/callback?code={code}&state={state}"))
        .await;
    assert_eq!(end.ok(303).header("location"), "/?sign_in=refused");
    assert!(!eve.cookies.contains_key(SESSION));

    let away = ada.go("/auth/sign-in").await.ok(303);
    let kept = ada.cookies.clone();
    let back = openid.approve(away.header("location"), &person("Ada"));
    ada.go(&back).await.ok(303);
    assert!(ada.cookies.contains_key(SESSION));
    let mut again = Browser::new(&world);
    again.cookies = kept;
    let end = again.go(&back).await.ok(303);
    assert_eq!(end.header("location"), "/?sign_in=refused");
}

/// What is made of a good token's header and claims.
type Lie = Box<dyn Fn(&mut jsonwebtoken::Header, &mut Value) + Send>;

#[sqlx::test(migrations = "../migrations")]
async fn an_id_token_that_is_wrong_in_any_way_opens_no_session(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool.clone(), &[]).await;
    let now = world.clock.now().as_second();
    let set = |name: &'static str, value: Value| {
        move |_: &mut jsonwebtoken::Header, claims: &mut Value| claims[name] = value.clone()
    };
    let lies: Vec<(&str, Lie)> = vec![
        ("another nonce", Box::new(set("nonce", json!("x")))),
        ("no nonce", Box::new(set("nonce", Value::Null))),
        (
            "another issuer",
            Box::new(set("iss", json!("https://evil.example"))),
        ),
        ("another audience", Box::new(set("aud", json!("other")))),
        (
            "an audience more",
            Box::new(set("aud", json!(["ringfence-dashboard", "other"]))),
        ),
        (
            "an audience more, for the other party",
            Box::new(|_, claims| {
                claims["aud"] = json!(["ringfence-dashboard", "other"]);
                claims["azp"] = json!("other");
            }),
        ),
        (
            "for us, and for other audiences alone",
            Box::new(|_, claims| {
                claims["aud"] = json!(["one", "other"]);
                claims["azp"] = json!("ringfence-dashboard");
            }),
        ),
        ("for another party", Box::new(set("azp", json!("other")))),
        ("expired", Box::new(set("exp", json!(now - 31)))),
        (
            "issued in the future",
            Box::new(set("iat", json!(now + 31))),
        ),
        ("issued long ago", Box::new(set("iat", json!(now - 3600)))),
        (
            "of a stranger's key",
            Box::new(set("signed_by_a_stranger", json!(true))),
        ),
        ("without a subject", Box::new(set("sub", json!("")))),
        (
            "subject that cannot be kept",
            Box::new(set("sub", json!("a\u{0}b"))),
        ),
        (
            "another subject than elsewhere",
            Box::new(set("sub", json!("somebody else"))),
        ),
        (
            "the client's secret taken for a key",
            Box::new(|header, _| header.alg = Algorithm::HS256),
        ),
    ];
    for (case, lie) in lies {
        openid.lie(lie);
        let mut browser = Browser::new(&world);
        let end = browser
            .sign_in(&openid, &person("Ada"), "/auth/sign-in")
            .await;
        assert_eq!(end.header("location"), "/?sign_in=refused", "{case}");
        assert!(!browser.cookies.contains_key(SESSION), "{case}");
    }
    let known: i64 = sqlx::query_scalar("select count(*) from people")
        .fetch_one(&pool)
        .await
        .expect("a count");
    assert_eq!(known, 0);
    openid.tell_the_truth();
    Browser::signed_in(&world, &openid, &person("Ada")).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn new_keys_of_the_provider_are_found_and_its_outage_stops_nothing_but_signing_in(
    pool: PgPool,
) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    openid.go_down(true);
    let mut browser = Browser::new(&world);
    let end = browser.go("/auth/sign-in").await.ok(303);
    assert_eq!(end.header("location"), "/?sign_in=unavailable");
    openid.go_down(false);
    // Nobody needs a credential to make us ask, so we do not ask at once again.
    let end = browser.go("/auth/sign-in").await.ok(303);
    assert_eq!(end.header("location"), "/?sign_in=unavailable");
    world.pass(10);
    let ada = Browser::signed_in(&world, &openid, &person("Ada")).await;

    world.pass(10);
    openid.rotate_keys();
    Browser::signed_in(&world, &openid, &person("Ben")).await;

    world.pass(2 * 3600);
    openid.go_down(true);
    ada.call(Method::GET, "/v1/me", None).await.ok(200);
    let away = Browser::new(&world).go("/auth/sign-in").await.ok(303);
    assert!(
        away.header("location").starts_with(&openid.issuer),
        "what is known goes on"
    );
}

/// Nobody needs a credential to begin, and anybody may hang up: that must not use up the reading of the moment.
#[sqlx::test(migrations = "../migrations")]
async fn browsers_that_go_away_break_off_no_reading_of_the_provider_and_begin_no_other(
    pool: PgPool,
) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let release = openid.hang();
    let (mut gone, mut ada) = (Browser::new(&world), Browser::new(&world));
    tokio::select! {
        biased;
        _ = gone.go("/auth/sign-in") => panic!("answered without the provider"),
        () = openid.wait_until_read(1) => {}
    }
    for _ in 0..20 {
        let answer = Browser::new(&world).go("/auth/sign-in").now_or_never();
        assert!(
            answer.is_none(),
            "answered while the provider is being read"
        );
    }
    release.notify_one();
    let away = ada.go("/auth/sign-in").await.ok(303);
    assert!(away.header("location").starts_with(&openid.issuer));
    assert_eq!(openid.read(), 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn operators_are_those_whom_the_settings_name_and_nobody_else(pool: PgPool) {
    let marks = ["sub=id-of-Root", "groups=ringfence-operators"];
    let (world, openid) = World::with_sign_in(pool, &marks).await;
    world.tenant("Northwind").await;
    let with = |name: &str, claim: &str, value: Value| {
        let mut who = person(name);
        who[claim] = value;
        who
    };
    for (who, is_operator) in [
        (person("Root"), true),
        (
            with("Ada", "groups", json!(["staff", "ringfence-operators"])),
            true,
        ),
        (with("Ben", "groups", json!("ringfence-operators")), true),
        (
            with("Eve", "groups", json!(["ringfence-operators-not"])),
            false,
        ),
        (with("Fay", "roles", json!(["ringfence-operators"])), false),
        (
            with("Gus", "preferred_username", json!("id-of-Root")),
            false,
        ),
        (person("id-of-Root"), false),
    ] {
        let browser = Browser::signed_in(&world, &openid, &who).await;
        let tenants = browser.call(Method::GET, "/v1/tenants", None).await;
        let status = if is_operator { 200 } else { 403 };
        assert_eq!(tenants.status, status, "{who}: {}", tenants.text);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn without_a_provider_there_is_no_signing_in_and_the_page_knows(pool: PgPool) {
    let world = World::new(pool).await;
    let options = world.get("/v1/sign-in-options", "").await.ok(200);
    assert_eq!(
        options.body,
        json!({ "identity_provider": false, "signed_in": false })
    );
    for path in [
        "/auth/sign-in",
        "/auth/callback?code=x&state=y",
        "/auth/nothing",
    ] {
        world.get(path, "").await.problem(404, "not_found");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn an_id_token_for_others_too_is_taken_where_it_was_made_for_us(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    openid.lie(|_, claims| {
        claims["aud"] = json!(["account", "ringfence-dashboard"]);
        claims["azp"] = json!("ringfence-dashboard");
    });
    Browser::signed_in(&world, &openid, &person("Ada")).await;
}

/// A browser that came back is to see a page, and to begin anew.
#[sqlx::test(migrations = "../migrations")]
async fn whatever_goes_wrong_on_the_way_back_ends_on_the_sign_in_page(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let mut ada = Browser::new(&world);
    let away = ada
        .go("/auth/sign-in?return_to=/a&return_to=/b&x=y")
        .await
        .ok(303);
    let back = openid.approve(away.header("location"), &person("Ada"));
    let end = ada.go(&format!("{back}&code=other")).await.ok(303);
    assert_eq!(end.header("location"), "/?sign_in=refused");
    assert!(ada.cookies.is_empty(), "{:?}", ada.cookies);

    let away = ada.go("/auth/sign-in").await.ok(303);
    let back = openid.approve(away.header("location"), &person("Ada"));
    world.store.close().await;
    let end = ada.go(&back).await.ok(303);
    assert_eq!(end.header("location"), "/?sign_in=unavailable");
    assert!(ada.cookies.is_empty(), "{:?}", ada.cookies);
}
