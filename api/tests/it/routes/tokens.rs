//! Tokens of an identity provider, through the whole API. The attacks on tokens themselves are in `tests/jwt.rs`.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use axum::http::Method;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ringfence_api::auth::ProviderClient;
use ringfence_api::auth::jwt::{JwtSettings, KeyReader, Verifier};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::harness::{NOW, World};

const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "ringfence";

struct Provider {
    key: EncodingKey,
    url: String,
}

impl Provider {
    async fn start() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key pair");
        let der = AsDer::<Pkcs8V1Der>::as_der(&pair).expect("its encoding");
        let text = STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).expect("a signing key");
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::RS256).expect("a public key");
        jwk.common.key_id = Some("one".to_owned());
        let keys = json!({ "keys": [jwk] });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!(
            "http://{}/keys",
            listener.local_addr().expect("its address")
        );
        let router = Router::new().route("/keys", get(move || async move { Json(keys) }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { key, url }
    }

    fn verifier(&self) -> Verifier {
        let settings = JwtSettings::new(ISSUER, AUDIENCE, &self.url, &["RS256"]).expect("settings");
        verifier(settings)
    }

    fn token(&self, claims: &Value) -> String {
        let now: Timestamp = NOW.parse().expect("a time");
        let mut all = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "dora",
            "nbf": now.as_second() - 60, "exp": now.as_second() + 600,
        });
        for (name, value) in claims.as_object().expect("claims") {
            all[name] = value.clone();
        }
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some("one".to_owned());
        encode(&header, &all, &self.key).expect("a token")
    }
}

fn verifier(settings: JwtSettings) -> Verifier {
    let client = ProviderClient::new().expect("a client");
    Verifier::new(settings, KeyReader::Operator(client))
}

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
