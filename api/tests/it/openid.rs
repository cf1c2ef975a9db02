//! An OpenID provider for tests: it checks what a real one checks, and can be told to lie.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ringfence_api::auth::oidc::OidcSettings;
use ringfence_api::clock::Clock;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use url::Url;

pub const CLIENT: &str = "ringfence-dashboard";
const SECRET: &str = "between the two of us";

type Lie = Box<dyn Fn(&mut Header, &mut Value) + Send>;

#[derive(Clone)]
pub struct OpenId {
    pub issuer: String,
    clock: Clock,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    key: EncodingKey,
    key_id: String,
    /// By code: what was asked for, and by whom.
    asked: HashMap<String, (HashMap<String, String>, Value)>,
    /// By access token.
    people: HashMap<String, Value>,
    lie: Option<Lie>,
    down: bool,
    /// How often it was asked about itself.
    read: usize,
    /// While it is there, the next answer about itself waits until it is rung.
    held: Option<Arc<Notify>>,
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

impl OpenId {
    pub async fn start(clock: Clock) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("its address"));
        let inner = Inner {
            key: rsa_key(),
            key_id: "one".to_owned(),
            asked: HashMap::new(),
            people: HashMap::new(),
            lie: None,
            down: false,
            read: 0,
            held: None,
        };
        let provider = Self {
            issuer,
            clock,
            inner: Arc::new(Mutex::new(inner)),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(about))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub fn settings(&self, operators: &[&str]) -> OidcSettings {
        let marks = operators.iter().map(|mark| mark.parse().expect("a mark"));
        OidcSettings::new(
            &self.issuer,
            CLIENT.to_owned(),
            Some(SECRET.to_owned()),
            vec!["email".to_owned(), "profile".to_owned()],
            marks.collect(),
        )
        .expect("settings")
    }

    /// Changes every ID token from now on.
    pub fn lie(&self, lie: impl Fn(&mut Header, &mut Value) + Send + 'static) {
        self.inner().lie = Some(Box::new(lie));
    }

    pub fn tell_the_truth(&self) {
        self.inner().lie = None;
    }

    pub fn rotate_keys(&self) {
        let mut inner = self.inner();
        inner.key = rsa_key();
        inner.key_id = "two".to_owned();
    }

    pub fn go_down(&self, down: bool) {
        self.inner().down = down;
    }

    /// The next answer about itself waits until it is told to come.
    pub fn hang(&self) -> Arc<Notify> {
        let held = Arc::new(Notify::new());
        self.inner().held = Some(Arc::clone(&held));
        held
    }

    /// How often it was asked about itself.
    pub fn read(&self) -> usize {
        self.inner().read
    }

    pub async fn wait_until_read(&self, times: usize) {
        while self.read() < times {
            tokio::task::yield_now().await;
        }
    }

    /// What a person does at the provider: says yes, and is sent back to the place that comes out.
    pub fn approve(&self, location: &str, who: &Value) -> String {
        let url = Url::parse(location).expect("an address");
        assert!(location.starts_with(&format!("{}/authorize?", self.issuer)));
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT);
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(
            asked["redirect_uri"],
            "https://ringfence.example/auth/callback"
        );
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
        let code = format!("code-{}", self.inner().asked.len());
        let state = asked["state"].clone();
        self.inner()
            .asked
            .insert(code.clone(), (asked, who.clone()));
        format!("/auth/callback?code={code}&state={state}")
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("not poisoned")
    }
}

async fn about(State(provider): State<OpenId>) -> Result<Json<Value>, StatusCode> {
    let held = {
        let mut inner = provider.inner();
        inner.read += 1;
        inner.held.take()
    };
    if let Some(held) = held {
        held.notified().await;
    }
    if provider.inner().down {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let issuer = &provider.issuer;
    Ok(Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })))
}

async fn keys(State(provider): State<OpenId>) -> Json<Value> {
    let inner = provider.inner();
    Json(json!({ "keys": [public(&inner.key, &inner.key_id)] }))
}

fn refuse(error: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error })))
}

async fn token(
    State(provider): State<OpenId>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Json<Value>, (StatusCode, Json<Value>)> {
    let now = provider.clock.now().as_second();
    let mut inner = provider.inner();
    let encode_part =
        |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let wanted = STANDARD.encode(format!("{}:{}", encode_part(CLIENT), encode_part(SECRET)));
    if headers["authorization"] != format!("Basic {wanted}") {
        return Err(refuse("invalid_client"));
    }
    let (asked, who) = inner
        .asked
        .remove(&form["code"])
        .ok_or_else(|| refuse("invalid_grant"))?;
    let verifier = form.get("code_verifier").map(String::as_str);
    let hashed = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.unwrap_or_default()));
    if asked["code_challenge"] != hashed || asked["redirect_uri"] != form["redirect_uri"] {
        return Err(refuse("invalid_grant"));
    }
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(inner.key_id.clone());
    // As short as many providers keep it: who somebody is in words, is told elsewhere.
    let mut claims = json!({
        "iss": provider.issuer, "aud": CLIENT, "sub": who["sub"], "iat": now, "exp": now + 300,
        "nonce": asked["nonce"],
    });
    if let Some(lie) = &inner.lie {
        lie(&mut header, &mut claims);
    }
    let key = match claims["signed_by_a_stranger"].take() {
        Value::Null => inner.key.clone(),
        _ => rsa_key(),
    };
    let id_token = match header.alg {
        Algorithm::RS256 => encode(&header, &claims, &key).expect("a token"),
        // The client's secret, which both sides know, taken for a key.
        _ => encode(
            &header,
            &claims,
            &EncodingKey::from_secret(SECRET.as_bytes()),
        )
        .expect("a token"),
    };
    let access = format!("access-{}", inner.people.len());
    inner.people.insert(access.clone(), who);
    Ok(Json(json!({
        "access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": id_token,
    })))
}

async fn userinfo(
    State(provider): State<OpenId>,
    headers: HeaderMap,
) -> Result<Json<Value>, StatusCode> {
    let inner = provider.inner();
    let bearer = headers["authorization"].to_str().expect("text");
    let access = bearer.strip_prefix("Bearer ").unwrap_or_default();
    inner
        .people
        .get(access)
        .cloned()
        .map(Json)
        .ok_or(StatusCode::UNAUTHORIZED)
}
