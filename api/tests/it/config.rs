//! Settings: all faults at once, and no secret in any text.

use std::collections::BTreeMap;

use ringfence_api::config::{database_url, settings};
use ringfence_api::outbound::Reach;

use crate::harness::SECRET_KEY;

fn complete() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("DATABASE_URL", "postgres://ringfence:hunter2@db/ringfence"),
        (
            "RINGFENCE_CONTROL_PLANE_PRINCIPAL",
            "arn:aws:iam::999988887777:role/ringfence-control-plane",
        ),
        ("RINGFENCE_SECRET_KEYS", SECRET_KEY),
        (
            "RINGFENCE_LIMITER_PRINCIPAL",
            "arn:aws:iam::999988887777:role/ringfence-limiter",
        ),
        (
            "RINGFENCE_LIMITER_FUNCTIONS",
            "arn:aws:lambda:us-east-1:999988887777:function:limiter-1, arn:aws:lambda:us-east-1:999988887777:function:limiter-2,arn:aws:lambda:eu-west-2:999988887777:function:limiter-1",
        ),
    ])
}

#[test]
fn what_is_needed_is_enough_and_the_rest_has_defaults() {
    let values = complete();
    let read =
        settings(|name| values.get(name).map(|value| (*value).to_owned())).expect("settings");
    assert_eq!(read.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(
        read.regions().collect::<Vec<_>>(),
        ["us-east-1", "eu-west-2"]
    );
    assert_eq!(read.reconcile_period.as_secs(), 600);
    assert_eq!(read.tables.policies, "ringfence-policies");
    assert!(read.jwt.is_none());
    assert_eq!(read.reach, Reach::Public);
}

#[test]
fn every_wrong_variable_is_named_at_once_and_no_secret_is_repeated() {
    let mut values = complete();
    values.insert("DATABASE_URL", "mysql://ringfence:hunter2@db/ringfence");
    values.insert("RINGFENCE_LISTEN", "everywhere");
    values.insert("RINGFENCE_PUBLIC_URL", "ftp://ringfence.example");
    values.remove("RINGFENCE_LIMITER_PRINCIPAL");
    values.insert("RINGFENCE_CONTROL_PLANE_PRINCIPAL", "ringfence");
    values.insert("RINGFENCE_LIMITER_FUNCTIONS", "limiter");
    values.insert("RINGFENCE_RECONCILE_PERIOD_SECONDS", "0");
    values.insert("RINGFENCE_CONNECTION_CHECK_PERIOD_SECONDS", "soon");
    values.insert("RINGFENCE_CONNECT_RPS", "-1");
    values.insert("RINGFENCE_SECRET_KEYS", "hunter2");
    values.insert("RINGFENCE_OUTBOUND_LOOPBACK", "yes");
    values.insert("RINGFENCE_ANY_DATABASE_LOGIN", "perhaps");
    values.insert("RINGFENCE_REQUESTS_PER_MINUTE_PER_KEY", "0");
    values.insert("RINGFENCE_REQUESTS_PER_MINUTE_PER_TENANT", "many");
    values.insert("RINGFENCE_JWT_ISSUER", "https://id.example");
    let error =
        settings(|name| values.get(name).map(|value| (*value).to_owned())).expect_err("faults");
    let named: Vec<&str> = error.0.iter().map(|fault| fault.variable).collect();
    for variable in [
        "DATABASE_URL",
        "RINGFENCE_LISTEN",
        "RINGFENCE_PUBLIC_URL",
        "RINGFENCE_LIMITER_PRINCIPAL",
        "RINGFENCE_CONTROL_PLANE_PRINCIPAL",
        "RINGFENCE_LIMITER_FUNCTIONS",
        "RINGFENCE_RECONCILE_PERIOD_SECONDS",
        "RINGFENCE_CONNECTION_CHECK_PERIOD_SECONDS",
        "RINGFENCE_CONNECT_RPS",
        "RINGFENCE_SECRET_KEYS",
        "RINGFENCE_OUTBOUND_LOOPBACK",
        "RINGFENCE_ANY_DATABASE_LOGIN",
        "RINGFENCE_REQUESTS_PER_MINUTE_PER_KEY",
        "RINGFENCE_REQUESTS_PER_MINUTE_PER_TENANT",
        "RINGFENCE_JWT_AUDIENCE",
        "RINGFENCE_JWT_JWKS_URL",
    ] {
        assert!(
            named.contains(&variable),
            "{variable} is not among {named:?}"
        );
    }
    assert!(!error.to_string().contains("hunter2"));
}

#[test]
fn the_database_s_password_shows_in_no_debug_output() {
    let values = complete();
    let lookup = |name: &str| values.get(name).map(|value| (*value).to_owned());
    let read = settings(lookup).expect("settings");
    assert!(!format!("{read:?}").contains("hunter2"));
    assert!(!format!("{read:?}").contains(SECRET_KEY));
    let url = database_url(lookup).expect("a URL");
    assert!(url.reveal().contains("hunter2"));
    assert!(!format!("{url:?}").contains("hunter2"));
}

#[test]
fn half_an_identity_provider_is_refused_rather_than_ignored() {
    let mut values = complete();
    values.insert("RINGFENCE_JWT_ISSUER", "https://id.example");
    values.insert("RINGFENCE_JWT_AUDIENCE", "ringfence");
    values.insert("RINGFENCE_JWT_JWKS_URL", "https://id.example/keys");
    values.insert("RINGFENCE_JWT_ALGORITHMS", "HS256");
    assert!(settings(|name| values.get(name).map(|value| (*value).to_owned())).is_err());
    values.insert("RINGFENCE_JWT_ALGORITHMS", "ES256,RS256");
    let read =
        settings(|name| values.get(name).map(|value| (*value).to_owned())).expect("settings");
    assert!(read.jwt.is_some());
}
