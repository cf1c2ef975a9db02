//! An identity provider that really serves its keys, and tokens as it would sign them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto, encode};
use ringfence_api::auth::ProviderClient;
use ringfence_api::auth::jwt::{JwtSettings, KeyReader, Verifier};
use serde_json::{Value, json};
use tokio::sync::Notify;

pub const ISSUER: &str = "https://id.example";
pub const AUDIENCE: &str = "ringfence";
pub const TENANT: &str = "ten_01980000000070008000000000000001";

pub fn now() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().expect("a time")
}

pub fn rsa_key() -> EncodingKey {
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key pair");
    let der = AsDer::<Pkcs8V1Der>::as_der(&pair).expect("its encoding");
    let text = STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    EncodingKey::from_rsa_pem(pem.as_bytes()).expect("a signing key")
}

pub fn public(key: &EncodingKey, id: &str) -> Value {
    let mut jwk = Jwk::from_encoding_key(key, Algorithm::RS256).expect("a public key");
    jwk.common.key_id = Some(id.to_owned());
    serde_json::to_value(jwk).expect("JSON")
}

/// An identity provider: serves a key set that may change, counts who asks, may be down.
#[derive(Clone, Default)]
pub struct Provider {
    keys: Arc<std::sync::Mutex<Vec<Value>>>,
    asked: Arc<AtomicUsize>,
    pub down: Arc<AtomicBool>,
    /// While it is there, the next answer waits until it is rung.
    held: Arc<std::sync::Mutex<Option<Arc<Notify>>>>,
}

impl Provider {
    pub async fn start(keys: Vec<Value>) -> (Self, Verifier) {
        let provider = Self::default();
        provider.serve_keys(keys);
        let router = Router::new()
            .route("/keys", get(answer))
            .with_state(provider.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!(
            "http://{}/keys",
            listener.local_addr().expect("its address")
        );
        tokio::spawn(async move { axum::serve(listener, router).await });
        let settings = JwtSettings::new(ISSUER, AUDIENCE, &url, &["RS256"]).expect("settings");
        let client = ProviderClient::new().expect("a client");
        (
            provider,
            Verifier::new(settings, KeyReader::Operator(client)),
        )
    }

    pub fn serve_keys(&self, keys: Vec<Value>) {
        *self.keys.lock().expect("not poisoned") = keys;
    }

    /// The next answer waits until it is told to come.
    pub fn hang(&self) -> Arc<Notify> {
        let held = Arc::new(Notify::new());
        *self.held.lock().expect("not poisoned") = Some(Arc::clone(&held));
        held
    }

    pub async fn wait_until_asked(&self, times: usize) {
        while self.asked() < times {
            tokio::task::yield_now().await;
        }
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn answer(State(provider): State<Provider>) -> Result<Json<Value>, StatusCode> {
    provider.asked.fetch_add(1, Ordering::SeqCst);
    let held = provider.held.lock().expect("not poisoned").take();
    if let Some(held) = held {
        held.notified().await;
    }
    if provider.down.load(Ordering::SeqCst) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let keys = provider.keys.lock().expect("not poisoned").clone();
    Ok(Json(json!({ "keys": keys })))
}

pub fn good_claims() -> Value {
    let now = now().as_second();
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "user-7", "exp": now + 300, "nbf": now - 10,
        "ringfence_tenant": TENANT, "ringfence_role": "editor",
    })
}

pub fn header(key_id: &str) -> Header {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(key_id.to_owned());
    header
}

pub fn signed(key: &EncodingKey, claims: &Value) -> String {
    encode(&header("one"), claims, key).expect("a token")
}

pub fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut claims = good_claims();
    change(&mut claims);
    claims
}

pub fn without(name: &str) -> Value {
    changed(|claims| {
        claims.as_object_mut().expect("an object").remove(name);
    })
}

/// Signs a header and claims as they are written, whatever they are.
pub fn signed_text(key: &EncodingKey, header: &str, claims: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", part(header), part(claims));
    let signature = crypto::sign(message.as_bytes(), key, Algorithm::RS256).expect("a signature");
    format!("{message}.{signature}")
}
