//! An issuer of tokens, as the operator's settings name one.

use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ringfence_api::auth::ProviderClient;
use ringfence_api::auth::jwt::{JwtSettings, KeyReader, Verifier};
use serde_json::{Value, json};

use crate::harness::NOW;
use crate::openid::{public, rsa_key};

pub const ISSUER: &str = "https://id.example";
pub const AUDIENCE: &str = "ringfence";

pub struct Provider {
    key: EncodingKey,
    url: String,
}

impl Provider {
    pub async fn start() -> Self {
        let key = rsa_key();
        let keys = json!({ "keys": [public(&key, "one")] });
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

    pub fn verifier(&self) -> Verifier {
        let settings = JwtSettings::new(ISSUER, AUDIENCE, &self.url, &["RS256"]).expect("settings");
        verifier(settings)
    }

    pub fn token(&self, claims: &Value) -> String {
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

pub fn verifier(settings: JwtSettings) -> Verifier {
    let client = ProviderClient::new().expect("a client");
    Verifier::new(settings, KeyReader::Operator(client))
}
