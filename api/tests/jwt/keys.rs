//! The provider's key set: what is used of it, when it is read again, and what happens while it cannot be read.

use std::sync::atomic::Ordering;
use std::time::Instant;

use futures::FutureExt as _;
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

/// Nobody can be sure any more that a key is still the provider's.
#[tokio::test]
async fn keys_of_which_the_provider_says_nothing_are_believed_for_a_day() {
    let key = rsa_key();
    let (provider, verifier) = Provider::start(vec![public(&key, "one")]).await;
    let claims = changed(|claims| claims["exp"] = json!(now().as_second() + 7 * 86_400));
    let token = signed(&key, &claims);
    assert!(verifier.verify(&token, now()).await.is_ok());
    provider.down.store(true, Ordering::SeqCst);
    let day = SignedDuration::from_hours(24);
    let before = now() + day - SignedDuration::from_secs(1);
    assert!(verifier.verify(&token, before).await.is_ok());
    let refused = verifier.verify(&token, now() + day).await;
    assert_eq!(refused, Err(JwtError::KeysUnavailable));
    provider.down.store(false, Ordering::SeqCst);
    let later = now() + day + SignedDuration::from_mins(2);
    assert!(verifier.verify(&token, later).await.is_ok());
}

/// One request asks, and waits for no more than a moment; nobody else waits at all.
#[tokio::test]
async fn a_known_key_answers_while_the_provider_hangs() {
    let key = rsa_key();
    let (provider, verifier) = Provider::start(vec![public(&key, "one")]).await;
    let claims = changed(|claims| claims["exp"] = json!(now().as_second() + 7200));
    let token = signed(&key, &claims);
    assert!(verifier.verify(&token, now()).await.is_ok());
    let release = provider.hang();
    let old = now() + SignedDuration::from_mins(20);
    let asking = verifier.verify(&token, old);
    let others = async {
        provider.wait_until_asked(2).await;
        for _ in 0..100 {
            assert!(verifier.verify(&token, old).await.is_ok());
        }
        Instant::now()
    };
    let ((asked, asked_at), others_at) =
        tokio::join!(async { (asking.await, Instant::now()) }, others);
    assert!(asked.is_ok());
    assert!(others_at < asked_at, "they waited for it");
    assert_eq!(provider.asked(), 2, "one request asks");
    // What comes in the end is taken.
    provider.serve_keys(Vec::new());
    release.notify_one();
    while verifier.verify(&token, old).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        verifier.verify(&token, old).await,
        Err(JwtError::UnknownKey)
    );
}

/// Whoever may send a token may hang up, too: that must not use up the minute's reading.
#[tokio::test]
async fn callers_who_go_away_break_off_no_reading_and_begin_no_other() {
    let key = rsa_key();
    let (provider, verifier) = Provider::start(vec![public(&key, "one")]).await;
    let release = provider.hang();
    let made_up = encode(&header("made-up"), &good_claims(), &rsa_key()).expect("a token");
    tokio::select! {
        biased;
        _ = verifier.verify(&made_up, now()) => panic!("answered without the keys"),
        () = provider.wait_until_asked(1) => {}
    }
    for _ in 0..20 {
        let gone = verifier.verify(&made_up, now()).now_or_never();
        assert_eq!(gone, None, "answered while the keys are being read");
    }
    release.notify_one();
    let token = signed(&key, &good_claims());
    assert!(verifier.verify(&token, now()).await.is_ok());
    assert_eq!(provider.asked(), 1);
}
