//! The provider's key set: what is used of it, when it is read again, and what happens while it cannot be read.

use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use jsonwebtoken::encode;
use ringfence_api::auth::jwt::JwtError;
use serde_json::json;

use crate::provider::{Provider, changed, good_claims, header, now, public, rsa_key, signed};

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
