//! A tenant's own issuers: their tokens work in that tenant, with the roles that it gave, and nowhere else.

use axum::http::Method;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::harness::{Answer, Cast, World};
use crate::openid::{public, rsa_key};

const ISSUER: &str = "https://login.northwind.example";

struct Issuer {
    key: EncodingKey,
    jwks_url: String,
}

impl Issuer {
    async fn start() -> Self {
        let key = rsa_key();
        let keys = json!({ "keys": [public(&key, "one")] });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let jwks_url = format!(
            "http://{}/keys",
            listener.local_addr().expect("its address")
        );
        let router = Router::new().route("/keys", get(move || async move { Json(keys) }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { key, jwks_url }
    }

    fn registration(&self) -> Value {
        json!({
            "issuer": ISSUER, "audience": "ringfence", "jwks_url": self.jwks_url,
            "role_claim": "groups", "roles": { "callers": "viewer", "leads": "admin" },
        })
    }

    fn token(&self, world: &World, more: &Value) -> String {
        let now = world.clock.now().as_second();
        let mut claims = json!({
            "iss": ISSUER, "aud": "ringfence", "sub": "dora", "nbf": now - 60, "exp": now + 600,
            "groups": ["callers"],
        });
        for (name, value) in more.as_object().expect("claims") {
            claims[name] = value.clone();
        }
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some("one".to_owned());
        encode(&header, &claims, &self.key).expect("a token")
    }
}

async fn ask(world: &World, method: Method, path: &str, token: &str, cast: &Cast) -> Answer {
    let headers = [("ringfence-tenant", cast.id.as_str())];
    world.call_with(method, path, token, None, &headers).await
}

#[sqlx::test(migrations = "../migrations")]
async fn a_token_works_in_the_tenant_that_accepts_its_issuer_with_the_role_of_its_claim(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let (cast, other) = (world.tenant("Northwind").await, world.tenant("Other").await);
    let issuer = Issuer::start().await;
    let made = world
        .post("/v1/token-issuers", &cast.admin, issuer.registration())
        .await
        .ok(201);
    assert_eq!(made.body["algorithms"], json!(["RS256"]));
    let viewer = issuer.token(&world, &json!({}));
    let me = ask(&world, Method::GET, "/v1/me", &viewer, &cast)
        .await
        .ok(200);
    assert_eq!(me.body["kind"], "jwt");
    assert_eq!(me.text("/role"), "viewer");
    assert_eq!(me.text("/subject"), "dora");
    let lead = issuer.token(&world, &json!({ "groups": ["leads", "callers"] }));
    ask(&world, Method::GET, "/v1/api-keys", &lead, &cast)
        .await
        .ok(200);
    ask(&world, Method::GET, "/v1/api-keys", &viewer, &cast)
        .await
        .problem(403, "forbidden");
    // Elsewhere it is nobody's: neither without a tenant, nor in another, nor as an operator.
    world
        .get("/v1/me", &viewer)
        .await
        .problem(401, "unauthenticated");
    ask(&world, Method::GET, "/v1/me", &viewer, &other)
        .await
        .problem(401, "unauthenticated");
    for claims in [
        json!({ "ringfence_role": "operator" }),
        json!({ "ringfence_role": "owner", "ringfence_tenant": other.id }),
    ] {
        let bold = issuer.token(&world, &claims);
        let me = ask(&world, Method::GET, "/v1/me", &bold, &cast)
            .await
            .ok(200);
        assert_eq!(me.text("/role"), "viewer");
        ask(&world, Method::GET, "/v1/tenants", &bold, &cast)
            .await
            .problem(403, "forbidden");
    }
    for claims in [
        json!({ "groups": ["strangers"] }),
        json!({ "aud": "other" }),
        json!({ "exp": 1 }),
        json!({ "iss": "https://login.northwind.example/" }),
        json!({ "iss": "a\u{0}b" }),
    ] {
        let wrong = issuer.token(&world, &claims);
        ask(&world, Method::GET, "/v1/me", &wrong, &cast)
            .await
            .problem(401, "unauthenticated");
    }
}

/// Two tenants may use one provider; neither decides for the other.
#[sqlx::test(migrations = "../migrations")]
async fn tenants_with_the_same_issuer_are_strangers_to_each_other(pool: PgPool) {
    let world = World::new(pool).await;
    let (cast, other) = (world.tenant("Northwind").await, world.tenant("Other").await);
    let issuer = Issuer::start().await;
    let own = issuer.registration();
    world
        .post("/v1/token-issuers", &cast.admin, own.clone())
        .await
        .ok(201);
    let mut theirs = own.clone();
    theirs["audience"] = json!("other");
    let theirs = world
        .post("/v1/token-issuers", &other.admin, theirs)
        .await
        .ok(201);
    let token = issuer.token(&world, &json!({}));
    ask(&world, Method::GET, "/v1/me", &token, &cast)
        .await
        .ok(200);
    ask(&world, Method::GET, "/v1/me", &token, &other)
        .await
        .problem(401, "unauthenticated");
    let path = format!("/v1/token-issuers/{}", theirs.text("/id"));
    world
        .delete(&path, &cast.owner)
        .await
        .problem(404, "not_found");
    world
        .post("/v1/token-issuers", &cast.admin, own)
        .await
        .problem(409, "issuer_registered");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_issuer_that_was_removed_is_accepted_no_more_from_the_next_request_on(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let issuer = Issuer::start().await;
    let made = world
        .post("/v1/token-issuers", &cast.admin, issuer.registration())
        .await
        .ok(201);
    let token = issuer.token(&world, &json!({}));
    ask(&world, Method::GET, "/v1/me", &token, &cast)
        .await
        .ok(200);
    let path = format!("/v1/token-issuers/{}", made.text("/id"));
    world.delete(&path, &cast.admin).await.ok(204);
    ask(&world, Method::GET, "/v1/me", &token, &cast)
        .await
        .problem(401, "unauthenticated");
    world
        .delete(&path, &cast.admin)
        .await
        .problem(404, "not_found");
    let told: Vec<String> = sqlx::query_scalar(
        "select action from audit_log where action like 'token_issuer.%' order by seq",
    )
    .fetch_all(&pool)
    .await
    .expect("rows");
    assert_eq!(told, ["token_issuer.create", "token_issuer.remove"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_registration_gives_no_more_than_whoever_makes_it_has_and_reaches_no_private_address(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let issuer = Issuer::start().await;
    let with = |name: &str, value: Value| {
        let mut body = issuer.registration();
        body[name] = value;
        body
    };
    for body in [
        with("roles", json!({ "leads": "owner" })),
        with("default_role", json!("owner")),
    ] {
        world
            .post("/v1/token-issuers", &cast.admin, body)
            .await
            .problem(403, "forbidden");
    }
    for (body, pointers) in [
        (
            with("jwks_url", json!("http://login.example/keys")),
            vec!["/jwks_url"],
        ),
        (
            with("jwks_url", json!("https://10.0.0.1/keys")),
            vec!["/jwks_url"],
        ),
        (
            with("jwks_url", json!("https://169.254.169.254/")),
            vec!["/jwks_url"],
        ),
        (
            with("jwks_url", json!("https://u:p@login.example/")),
            vec!["/jwks_url"],
        ),
        (
            with("jwks_url", json!("file:///etc/passwd")),
            vec!["/jwks_url"],
        ),
        (
            with("algorithms", json!(["RS256", "HS256"])),
            vec!["/algorithms"],
        ),
        (with("algorithms", json!(["none"])), vec!["/algorithms"]),
        (with("algorithms", json!([])), vec!["/algorithms"]),
        (with("role_claim", Value::Null), vec!["/roles"]),
        (with("roles", Value::Null), vec!["/default_role", "/roles"]),
        (with("roles", json!({ "x": "god" })), vec!["/roles"]),
        (
            json!({ "x": 1 }),
            vec!["/audience", "/default_role", "/issuer", "/jwks_url", "/x"],
        ),
    ] {
        let refused = world
            .post("/v1/token-issuers", &cast.owner, body.clone())
            .await;
        assert_eq!(
            refused.problem(422, "validation_failed").pointers(),
            pointers,
            "{body}"
        );
    }
    let list = world.get("/v1/token-issuers", &cast.admin).await.ok(200);
    assert_eq!(list.body["data"], json!([]));
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_removes_an_issuer_whose_tokens_may_do_more_than_they_may(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let issuer = Issuer::start().await;
    for (name, value) in [
        ("roles", json!({ "callers": "viewer", "leads": "owner" })),
        ("default_role", json!("owner")),
    ] {
        let mut body = issuer.registration();
        body[name] = value;
        let made = world.post("/v1/token-issuers", &cast.owner, body).await;
        let path = format!("/v1/token-issuers/{}", made.ok(201).text("/id"));
        world
            .delete(&path, &cast.admin)
            .await
            .problem(403, "forbidden");
        let token = issuer.token(&world, &json!({}));
        ask(&world, Method::GET, "/v1/me", &token, &cast)
            .await
            .ok(200);
        world.delete(&path, &cast.owner).await.ok(204);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_bearers_of_a_removed_issuer_s_tokens_had_invited_to_is_not_on_offer_any_more(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let issuer = Issuer::start().await;
    let made = world
        .post("/v1/token-issuers", &cast.admin, issuer.registration())
        .await
        .ok(201);
    let lead = issuer.token(&world, &json!({ "groups": ["leads"] }));
    let headers = [("ringfence-tenant", cast.id.as_str())];
    for by in [&lead, &cast.admin] {
        let body = Some(json!({ "role": "editor" }));
        world
            .call_with(Method::POST, "/v1/invitations", by, body, &headers)
            .await
            .ok(201);
    }
    let path = format!("/v1/token-issuers/{}", made.text("/id"));
    world.delete(&path, &cast.admin).await.ok(204);
    let open = world.get("/v1/invitations", &cast.owner).await.ok(200);
    assert_eq!(open.body["data"].as_array().map(Vec::len), Some(1));
    let inviter = open.text("/data/0/invited_by");
    assert!(inviter.starts_with("api_key:"), "{inviter}");
    let log = "/v1/audit-log?action=invitation.withdraw";
    let log = world.get(log, &cast.owner).await.ok(200);
    assert_eq!(log.text("/data/0/before/role"), "editor");
}

/// Anybody can write a token that has no signature, and learns nothing from it.
#[sqlx::test(migrations = "../migrations")]
async fn a_token_that_nobody_signed_does_not_tell_which_tenants_there_are_nor_whose_tokens_they_accept(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let (cast, other) = (world.tenant("Northwind").await, world.tenant("Other").await);
    let away = world.tenant("Away").await;
    let issuer = Issuer::start().await;
    let register = async |cast: &Cast, jwks_url: &str| {
        let mut own = issuer.registration();
        own["jwks_url"] = json!(jwks_url);
        world
            .post("/v1/token-issuers", &cast.admin, own)
            .await
            .ok(201);
    };
    register(&cast, &issuer.jwks_url).await;
    register(&away, "http://127.0.0.1:1/keys").await;
    let good = issuer.token(&world, &json!({}));
    let with_head = |head: &Value| {
        let (_, rest) = good.split_once('.').expect("parts");
        format!("{}.{rest}", URL_SAFE_NO_PAD.encode(head.to_string()))
    };
    let missing = "ten_01890000000070008000000000000000";
    for token in [
        format!("{}x", &good[..good.len() - 1]),
        with_head(&json!({ "alg": "RS256", "kid": "two" })),
        with_head(&json!({ "alg": "RS256" })),
        with_head(&json!({ "alg": "ES256", "kid": "one" })),
        with_head(&json!({ "alg": "none", "kid": "one" })),
        with_head(&json!({ "alg": "RS256", "kid": "one", "crit": ["x"] })),
    ] {
        let mut answers = Vec::new();
        for tenant in [cast.id.as_str(), &away.id, &other.id, missing, "none"] {
            let headers = [("ringfence-tenant", tenant)];
            let answer = world
                .call_with(Method::GET, "/v1/me", &token, None, &headers)
                .await;
            answers.push(answer.problem(401, "unauthenticated").without_request_id());
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
    }
    // Whoever has a signed one is told what to mend.
    let late = issuer.token(&world, &json!({ "exp": 1 }));
    let refused = ask(&world, Method::GET, "/v1/me", &late, &cast).await;
    let refused = refused.problem(401, "unauthenticated");
    assert_eq!(refused.text("/detail"), "the token has expired");
}
