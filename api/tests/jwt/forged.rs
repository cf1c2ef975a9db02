//! Forged tokens: wrong signatures, and headers that ask to be checked by other rules.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ringfence_api::auth::jwt::JwtError;
use serde_json::{Value, json};

use crate::provider::{
    Provider, changed, good_claims, header, now, public, rsa_key, signed, signed_text,
};

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

/// Signed by the provider's own key, so that only what the header and the claims say stands between.
#[tokio::test]
async fn a_good_signature_saves_no_token_that_says_something_twice_or_asks_for_other_rules() {
    let key = rsa_key();
    let (_provider, verifier) = Provider::start(vec![public(&key, "one")]).await;
    let claims = good_claims().to_string();
    let twice = |name: &str, value: &str| claims.replacen('{', &format!("{{{name:?}:{value},"), 1);
    let plain = r#"{"alg":"RS256","kid":"one"}"#;
    let deep = "[".repeat(2000);
    let cases = [
        (
            "audience twice",
            plain,
            twice("aud", "\"other\""),
            JwtError::Malformed,
        ),
        (
            "issuer twice",
            plain,
            twice("iss", "\"https://evil.example\""),
            JwtError::Malformed,
        ),
        (
            "expiry twice",
            plain,
            twice("exp", "1"),
            JwtError::Malformed,
        ),
        (
            "role twice",
            plain,
            twice("ringfence_role", "\"viewer\""),
            JwtError::Malformed,
        ),
        (
            "claims that are a list",
            plain,
            "[]".to_owned(),
            JwtError::Malformed,
        ),
        (
            "claims that are no JSON",
            plain,
            "iss=x".to_owned(),
            JwtError::Malformed,
        ),
        (
            "algorithm twice",
            r#"{"alg":"none","alg":"RS256","kid":"one"}"#,
            claims.clone(),
            JwtError::Malformed,
        ),
        (
            "key id twice",
            r#"{"alg":"RS256","kid":"two","kid":"one"}"#,
            claims.clone(),
            JwtError::Malformed,
        ),
        (
            "key id that is no text",
            r#"{"alg":"RS256","kid":1}"#,
            claims.clone(),
            JwtError::Malformed,
        ),
        (
            "payload not encoded",
            r#"{"alg":"RS256","kid":"one","b64":false}"#,
            claims.clone(),
            JwtError::CriticalExtension,
        ),
        (
            "payload not encoded, critically",
            r#"{"alg":"RS256","kid":"one","b64":false,"crit":["b64"]}"#,
            claims.clone(),
            JwtError::CriticalExtension,
        ),
        (
            "nothing critical",
            r#"{"alg":"RS256","kid":"one","crit":[]}"#,
            claims.clone(),
            JwtError::CriticalExtension,
        ),
        (
            "header that is a list",
            r#"["RS256"]"#,
            claims.clone(),
            JwtError::Malformed,
        ),
        (
            "header as deep as it is long",
            deep.as_str(),
            claims.clone(),
            JwtError::Malformed,
        ),
    ];
    for (case, header, claims, expected) in cases {
        let token = signed_text(&key, header, &claims);
        assert_eq!(
            verifier.verify(&token, now()).await,
            Err(expected),
            "{case}"
        );
    }
    let token = signed_text(&key, plain, &claims);
    assert!(verifier.verify(&token, now()).await.is_ok());
}

#[tokio::test]
async fn a_key_id_is_a_name_and_no_place() {
    let key = rsa_key();
    let (provider, verifier) = Provider::start(vec![public(&key, "one")]).await;
    assert!(
        verifier
            .verify(&signed(&key, &good_claims()), now())
            .await
            .is_ok()
    );
    for key_id in [
        "",
        " one",
        "ONE",
        "one\0",
        "../../../../dev/null",
        "/etc/passwd",
        "https://evil.example/keys#one",
        "one' or '1'='1",
        "one;cat /etc/passwd",
        &"k".repeat(4000),
    ] {
        let token = encode(&header(key_id), &good_claims(), &key).expect("a token");
        let refused = verifier.verify(&token, now()).await;
        assert_eq!(refused, Err(JwtError::UnknownKey), "{key_id:?}");
    }
    assert_eq!(
        provider.asked(),
        1,
        "a made-up key id asks the provider nothing new"
    );
}

/// The provider's own tokens may name where its keys are; that changes nothing.
#[tokio::test]
async fn what_a_header_says_of_keys_is_ignored() {
    let (key, stranger) = (rsa_key(), rsa_key());
    let (provider, verifier) = Provider::start(vec![public(&key, "one")]).await;
    let evil = "https://evil.example/keys";
    for extra in [
        format!(r#""jku":"{evil}""#),
        format!(r#""x5u":"{evil}""#),
        format!(r#""jwk":{}"#, public(&stranger, "one")),
        r#""x5c":["MIIB"]"#.to_owned(),
    ] {
        let header = format!(r#"{{"alg":"RS256","kid":"one",{extra}}}"#);
        let claims = good_claims().to_string();
        let own = verifier
            .verify(&signed_text(&key, &header, &claims), now())
            .await;
        assert!(own.is_ok(), "{extra}");
        let forged = signed_text(&stranger, &header, &claims);
        let forged = verifier.verify(&forged, now()).await;
        assert_eq!(forged, Err(JwtError::Signature), "{extra}");
    }
    assert_eq!(provider.asked(), 1);
}

/// A key that names no algorithm could check several; which of them are allowed, the settings alone say.
#[tokio::test]
async fn an_algorithm_that_is_not_allowed_is_refused_whatever_the_key_could_check() {
    let key = rsa_key();
    let mut silent = public(&key, "one");
    silent.as_object_mut().expect("an object").remove("alg");
    let (_provider, verifier) = Provider::start(vec![silent]).await;
    let good = signed(&key, &good_claims());
    verifier.verify(&good, now()).await.expect("accepted");
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        let mut other = header("one");
        other.alg = algorithm;
        let token = encode(&other, &good_claims(), &key).expect("a token");
        let refused = verifier.verify(&token, now()).await;
        assert_eq!(refused.err(), Some(JwtError::Algorithm), "{algorithm:?}");
    }
}
