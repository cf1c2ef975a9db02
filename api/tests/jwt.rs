//! Attacks on bearer tokens: every way in which a token could be wrong, against a provider that really serves its keys.

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
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ringfence_api::auth::jwt::{Claims, Grant, JwtError, JwtSettings, Verifier};
use ringfence_api::domain::role::Role;
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "ringfence";
const TENANT: &str = "ten_01980000000070008000000000000001";

fn now() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().expect("a time")
}

fn rsa_key() -> EncodingKey {
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key pair");
    let der = AsDer::<Pkcs8V1Der>::as_der(&pair).expect("its encoding");
    let text = STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    EncodingKey::from_rsa_pem(pem.as_bytes()).expect("a signing key")
}

fn public(key: &EncodingKey, id: &str) -> Value {
    let mut jwk = Jwk::from_encoding_key(key, Algorithm::RS256).expect("a public key");
    jwk.common.key_id = Some(id.to_owned());
    serde_json::to_value(jwk).expect("JSON")
}

/// An identity provider: serves a key set that may change, counts who asks, may be down.
#[derive(Clone, Default)]
struct Provider {
    keys: Arc<std::sync::Mutex<Vec<Value>>>,
    asked: Arc<AtomicUsize>,
    down: Arc<AtomicBool>,
}

impl Provider {
    async fn start(keys: Vec<Value>) -> (Self, Verifier) {
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
        (provider, Verifier::new(settings).expect("a verifier"))
    }

    fn serve_keys(&self, keys: Vec<Value>) {
        *self.keys.lock().expect("not poisoned") = keys;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn answer(State(provider): State<Provider>) -> Result<Json<Value>, StatusCode> {
    provider.asked.fetch_add(1, Ordering::SeqCst);
    if provider.down.load(Ordering::SeqCst) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let keys = provider.keys.lock().expect("not poisoned").clone();
    Ok(Json(json!({ "keys": keys })))
}

fn good_claims() -> Value {
    let now = now().as_second();
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "user-7", "exp": now + 300, "nbf": now - 10,
        "ringfence_tenant": TENANT, "ringfence_role": "editor",
    })
}

fn header(key_id: &str) -> Header {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(key_id.to_owned());
    header
}

fn signed(key: &EncodingKey, claims: &Value) -> String {
    encode(&header("one"), claims, key).expect("a token")
}

fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut claims = good_claims();
    change(&mut claims);
    claims
}

#[tokio::test]
async fn a_good_token_says_who_may_do_what() {
    let key = rsa_key();
    let (_provider, verifier) = Provider::start(vec![public(&key, "one")]).await;
    let member = verifier
        .verify(&signed(&key, &good_claims()), now())
        .await
        .expect("accepted");
    let tenant = TENANT.parse().expect("an id");
    assert_eq!(
        member,
        Claims {
            subject: "user-7".into(),
            grant: Grant::Member {
                tenant,
                role: Role::Editor
            }
        }
    );

    let operator = json!({
        "iss": ISSUER, "aud": ["other", AUDIENCE], "sub": "ops", "exp": now().as_second() + 1, "nbf": now().as_second(),
        "ringfence_role": "operator",
    });
    let operator = verifier
        .verify(&signed(&key, &operator), now())
        .await
        .expect("accepted");
    assert_eq!(operator.grant, Grant::Operator);
}

#[tokio::test]
async fn wrong_claims_are_refused_by_name() {
    let key = rsa_key();
    let (_provider, verifier) = Provider::start(vec![public(&key, "one")]).await;
    let at = now().as_second();
    let cases = [
        (
            "other issuer",
            changed(|c| c["iss"] = json!("https://evil.example")),
            JwtError::Claim("iss"),
        ),
        (
            "several issuers",
            changed(|c| c["iss"] = json!([ISSUER, "https://evil.example"])),
            JwtError::Claim("iss"),
        ),
        ("no issuer", without("iss"), JwtError::Claim("iss")),
        (
            "other audience",
            changed(|c| c["aud"] = json!("other")),
            JwtError::Claim("aud"),
        ),
        (
            "part of the audience",
            changed(|c| c["aud"] = json!("ring")),
            JwtError::Claim("aud"),
        ),
        (
            "empty audience",
            changed(|c| c["aud"] = json!([])),
            JwtError::Claim("aud"),
        ),
        ("no audience", without("aud"), JwtError::Claim("aud")),
        (
            "expired",
            changed(|c| c["exp"] = json!(at - 30)),
            JwtError::Expired,
        ),
        ("no expiry", without("exp"), JwtError::Claim("exp")),
        (
            "expiry as text",
            changed(|c| c["exp"] = json!("9999999999")),
            JwtError::Claim("exp"),
        ),
        (
            "not yet valid",
            changed(|c| c["nbf"] = json!(at + 31)),
            JwtError::NotYetValid,
        ),
        ("no start", without("nbf"), JwtError::Claim("nbf")),
        ("no subject", without("sub"), JwtError::Claim("sub")),
        (
            "empty subject",
            changed(|c| c["sub"] = json!("")),
            JwtError::Claim("sub"),
        ),
        (
            "subject that cannot be stored",
            changed(|c| c["sub"] = json!("user\u{0}7")),
            JwtError::Claim("sub"),
        ),
        (
            "unknown role",
            changed(|c| c["ringfence_role"] = json!("root")),
            JwtError::Claim("ringfence_role"),
        ),
        (
            "no role",
            without("ringfence_role"),
            JwtError::Claim("ringfence_role"),
        ),
        (
            "no tenant",
            without("ringfence_tenant"),
            JwtError::Claim("ringfence_tenant"),
        ),
        (
            "no tenant's id",
            changed(|c| c["ringfence_tenant"] = json!("ins_1")),
            JwtError::Claim("ringfence_tenant"),
        ),
        (
            "an operator of one tenant",
            changed(|c| c["ringfence_role"] = json!("operator")),
            JwtError::Claim("ringfence_tenant"),
        ),
    ];
    for (case, claims, expected) in cases {
        assert_eq!(
            verifier.verify(&signed(&key, &claims), now()).await,
            Err(expected),
            "{case}"
        );
    }
}

fn without(name: &str) -> Value {
    changed(|claims| {
        claims.as_object_mut().expect("an object").remove(name);
    })
}

#[tokio::test]
async fn the_clocks_may_differ_by_less_than_thirty_seconds() {
    let key = rsa_key();
    let (_provider, verifier) = Provider::start(vec![public(&key, "one")]).await;
    let at = now().as_second();
    let just_expired = changed(|claims| claims["exp"] = json!(at - 29));
    let just_early = changed(|claims| claims["nbf"] = json!(at + 30));
    assert!(
        verifier
            .verify(&signed(&key, &just_expired), now())
            .await
            .is_ok()
    );
    assert!(
        verifier
            .verify(&signed(&key, &just_early), now())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn forged_signatures_and_headers_are_refused() {
    let (key, stranger) = (rsa_key(), rsa_key());
    let (provider, verifier) = Provider::start(vec![public(&key, "one")]).await;
    let good = signed(&key, &good_claims());
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = part(&good_claims());
    let signature = good.rsplit('.').next().expect("a signature");

    // The public key, which everybody knows, taken for a shared secret.
    let modulus = URL_SAFE_NO_PAD
        .decode(public(&key, "one")["n"].as_str().expect("n"))
        .expect("base64");
    let mut shared = Header::new(Algorithm::HS256);
    shared.kid = Some("one".to_owned());
    let confused =
        encode(&shared, &good_claims(), &EncodingKey::from_secret(&modulus)).expect("a token");
    // A key brought along in the header.
    let mut own_key = header("one");
    own_key.jwk = Some(Jwk::from_encoding_key(&stranger, Algorithm::RS256).expect("a key"));
    own_key.jku = Some("https://evil.example/keys".to_owned());
    let own_key = encode(&own_key, &good_claims(), &stranger).expect("a token");
    let mut critical = header("one");
    critical.crit = Some(vec!["b64".to_owned()]);
    let critical = encode(&critical, &good_claims(), &key).expect("a token");
    let mut nameless = header("one");
    nameless.kid = None;
    let nameless = encode(&nameless, &good_claims(), &key).expect("a token");
    let mut stronger = header("one");
    stronger.alg = Algorithm::RS512;
    let stronger = encode(&stronger, &good_claims(), &key).expect("a token");

    let cases = [
        ("nothing", String::new(), JwtError::Malformed),
        ("no token", "abc".to_owned(), JwtError::Malformed),
        (
            "two parts",
            good.rsplit_once('.').expect("parts").0.to_owned(),
            JwtError::Malformed,
        ),
        ("rubbish", "ä.b.c".to_owned(), JwtError::Malformed),
        (
            "endless",
            format!("{good}{}", "A".repeat(9000)),
            JwtError::Malformed,
        ),
        (
            "unsigned",
            format!(
                "{}.{claims}.",
                part(&json!({ "alg": "none", "kid": "one" }))
            ),
            JwtError::Malformed,
        ),
        (
            "unsigned, otherwise spelt",
            format!("{}.{claims}.", part(&json!({ "alg": "nOnE" }))),
            JwtError::Malformed,
        ),
        (
            "signature left out",
            format!("{}.", good.rsplit_once('.').expect("parts").0),
            JwtError::Signature,
        ),
        (
            "another's signature",
            signed(&stranger, &good_claims()),
            JwtError::Signature,
        ),
        (
            "claims exchanged",
            {
                let owner = part(&changed(|claims| claims["ringfence_role"] = json!("owner")));
                let head = good.split('.').next().expect("a header");
                format!("{head}.{owner}.{signature}")
            },
            JwtError::Signature,
        ),
        ("public key as secret", confused, JwtError::Algorithm),
        ("own key in the header", own_key, JwtError::Signature),
        ("algorithm not allowed", stronger, JwtError::Algorithm),
        ("critical extension", critical, JwtError::CriticalExtension),
        ("no key id", nameless, JwtError::UnknownKey),
    ];
    for (case, token, expected) in cases {
        assert_eq!(
            verifier.verify(&token, now()).await,
            Err(expected),
            "{case}"
        );
    }
    assert!(verifier.verify(&good, now()).await.is_ok());
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn keys_not_meant_for_signatures_are_not_used() {
    let key = rsa_key();
    let mut encrypting = public(&key, "one");
    encrypting["use"] = json!("enc");
    let secret = json!({ "kty": "oct", "kid": "two", "k": "c2VjcmV0", "alg": "HS256" });
    let strange = json!({ "kty": "new", "kid": 7 });
    let mut third = public(&key, "three");
    third["use"] = json!("sig");
    let (_provider, verifier) = Provider::start(vec![encrypting, secret, strange, third]).await;
    assert_eq!(
        verifier.verify(&signed(&key, &good_claims()), now()).await,
        Err(JwtError::UnknownKey)
    );
    let token = encode(&header("three"), &good_claims(), &key).expect("a token");
    assert!(
        verifier.verify(&token, now()).await.is_ok(),
        "the strange key took the good one with it"
    );
}

#[tokio::test]
async fn an_unknown_key_makes_the_set_be_read_again_but_once_a_minute() {
    let (old, new) = (rsa_key(), rsa_key());
    let (provider, verifier) = Provider::start(vec![public(&old, "one")]).await;
    assert!(
        verifier
            .verify(&signed(&old, &good_claims()), now())
            .await
            .is_ok()
    );

    // The provider rotates: a token with the new key comes before our set is old.
    provider.serve_keys(vec![public(&old, "one"), public(&new, "two")]);
    let token = encode(&header("two"), &good_claims(), &new).expect("a token");
    let soon = now() + SignedDuration::from_secs(59);
    for _ in 0..20 {
        assert_eq!(
            verifier.verify(&token, soon).await,
            Err(JwtError::UnknownKey)
        );
    }
    assert_eq!(
        provider.asked(),
        1,
        "made-up key ids must not hammer the provider"
    );
    let a_minute_later = now() + SignedDuration::from_secs(60);
    assert!(verifier.verify(&token, a_minute_later).await.is_ok());
    assert_eq!(provider.asked(), 2);
}

#[tokio::test]
async fn a_provider_that_is_down_is_asked_once_a_minute_and_known_keys_go_on() {
    let key = rsa_key();
    let (provider, verifier) = Provider::start(vec![public(&key, "one")]).await;
    provider.down.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        let refused = verifier.verify(&signed(&key, &good_claims()), now()).await;
        assert_eq!(refused, Err(JwtError::KeysUnavailable));
    }
    assert_eq!(provider.asked(), 1);

    provider.down.store(false, Ordering::SeqCst);
    let later = now() + SignedDuration::from_secs(61);
    assert!(
        verifier
            .verify(&signed(&key, &good_claims()), later)
            .await
            .is_ok()
    );
    provider.down.store(true, Ordering::SeqCst);
    let old = later + SignedDuration::from_mins(20);
    let claims = changed(|claims| claims["exp"] = json!(old.as_second() + 60));
    assert!(
        verifier.verify(&signed(&key, &claims), old).await.is_ok(),
        "a known key goes on working"
    );
    assert_eq!(provider.asked(), 3);
}

#[tokio::test]
async fn a_withdrawn_key_stops_working_after_a_quarter_of_an_hour() {
    let key = rsa_key();
    let (provider, verifier) = Provider::start(vec![public(&key, "one")]).await;
    let claims = changed(|claims| claims["exp"] = json!(now().as_second() + 3600));
    assert!(verifier.verify(&signed(&key, &claims), now()).await.is_ok());
    provider.serve_keys(Vec::new());
    let later = now() + SignedDuration::from_mins(15);
    assert_eq!(
        verifier.verify(&signed(&key, &claims), later).await,
        Err(JwtError::UnknownKey)
    );
}
