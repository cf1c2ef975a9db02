//! What a token says: each claim that could be wrong is refused by its name.

use ringfence_api::auth::jwt::{Claims, Grant, JwtError};
use ringfence_api::domain::role::Role;
use serde_json::json;

use crate::provider::{
    AUDIENCE, ISSUER, Provider, TENANT, changed, good_claims, now, public, rsa_key, signed, without,
};

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
            "expiry as a list",
            changed(|c| c["exp"] = json!([at + 300])),
            JwtError::Malformed,
        ),
        (
            "start as text",
            changed(|c| c["nbf"] = json!("0")),
            JwtError::Claim("nbf"),
        ),
        (
            "valid far in the future",
            changed(|c| c["nbf"] = json!(at + 86_400 * 365)),
            JwtError::NotYetValid,
        ),
        (
            "start beyond all time",
            changed(|c| c["nbf"] = json!(1e300)),
            JwtError::NotYetValid,
        ),
        (
            "expiry before all time",
            changed(|c| c["exp"] = json!(-1e300)),
            JwtError::Expired,
        ),
        (
            "issued in the future",
            changed(|c| c["iat"] = json!(at + 31)),
            JwtError::NotYetValid,
        ),
        (
            "issued at no time",
            changed(|c| c["iat"] = json!("now")),
            JwtError::Claim("iat"),
        ),
        (
            "issuer with an ending slash",
            changed(|c| c["iss"] = json!(format!("{ISSUER}/"))),
            JwtError::Claim("iss"),
        ),
        (
            "audience as an object",
            changed(|c| c["aud"] = json!({ "ringfence": true })),
            JwtError::Claim("aud"),
        ),
        (
            "endless subject",
            changed(|c| c["sub"] = json!("a".repeat(256))),
            JwtError::Claim("sub"),
        ),
        (
            "subject as a number",
            changed(|c| c["sub"] = json!(7)),
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
