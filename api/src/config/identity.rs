//! Identity providers: the one whose tokens programs may send, and the one with which people sign in.

use std::net::SocketAddr;

use url::Url;

use super::reader::Reader;
use crate::auth::jwt::JwtSettings;
use crate::auth::oidc::{OidcSettings, OperatorMark};
use crate::domain::origin::is_web_origin;

const JWT_ALGORITHMS: &str = "RS256";
const OIDC_SCOPES: &str = "email profile";

/// All of it or nothing: half a configuration must not switch a check off.
pub(super) fn jwt(reader: &mut Reader<'_>) -> Option<JwtSettings> {
    const ISSUER: &str = "RINGFENCE_JWT_ISSUER";
    const AUDIENCE: &str = "RINGFENCE_JWT_AUDIENCE";
    const JWKS_URL: &str = "RINGFENCE_JWT_JWKS_URL";
    const ALGORITHMS: &str = "RINGFENCE_JWT_ALGORITHMS";
    if !is_any_set(reader, &[ISSUER, AUDIENCE, JWKS_URL, ALGORITHMS]) {
        return None;
    }
    let issuer = reader.required(ISSUER);
    let audience = reader.required(AUDIENCE);
    let jwks_url = reader.required(JWKS_URL);
    let algorithms = reader
        .optional(ALGORITHMS)
        .unwrap_or_else(|| JWT_ALGORITHMS.to_owned());
    let algorithms: Vec<&str> = algorithms
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    match JwtSettings::new(&issuer?, &audience?, &jwks_url?, &algorithms) {
        Ok(settings) => Some(settings),
        Err(err) => {
            reader.fault(
                JWKS_URL,
                format!("or one of its neighbours cannot be used: {err}"),
            );
            None
        }
    }
}

pub(super) fn oidc(
    reader: &mut Reader<'_>,
    public_url: Option<&Url>,
    listen: SocketAddr,
) -> Option<OidcSettings> {
    const ISSUER: &str = "RINGFENCE_OIDC_ISSUER";
    const CLIENT_ID: &str = "RINGFENCE_OIDC_CLIENT_ID";
    const CLIENT_SECRET: &str = "RINGFENCE_OIDC_CLIENT_SECRET";
    const SCOPES: &str = "RINGFENCE_OIDC_SCOPES";
    const OPERATORS: &str = "RINGFENCE_OIDC_OPERATORS";
    if !is_any_set(
        reader,
        &[ISSUER, CLIENT_ID, CLIENT_SECRET, SCOPES, OPERATORS],
    ) {
        return None;
    }
    let issuer = reader.required(ISSUER);
    let client_id = reader.required(CLIENT_ID);
    let client_secret = reader.optional(CLIENT_SECRET);
    let scopes = reader
        .optional(SCOPES)
        .unwrap_or_else(|| OIDC_SCOPES.to_owned());
    let scopes = scopes.split_whitespace().map(str::to_owned).collect();
    let operators = reader.optional(OPERATORS).unwrap_or_default();
    let marks: Result<Vec<OperatorMark>, _> = operators
        .split(',')
        .filter(|mark| !mark.trim().is_empty())
        .map(str::parse)
        .collect();
    let marks = marks.map_err(|err| reader.fault(OPERATORS, err.to_string()));
    sign_in_address(reader, public_url, listen);
    match OidcSettings::new(&issuer?, client_id?, client_secret, scopes, marks.ok()?) {
        Ok(settings) => Some(settings),
        Err(err) => {
            reader.fault(ISSUER, err.to_string());
            None
        }
    }
}

/// People's browsers hold a secret of ours, so they reach us with TLS, or on this machine.
fn sign_in_address(reader: &mut Reader<'_>, public_url: Option<&Url>, listen: SocketAddr) {
    const PUBLIC_URL: &str = "RINGFENCE_PUBLIC_URL";
    let is_given = reader.optional(PUBLIC_URL).is_some();
    match public_url {
        Some(url) if !is_web_origin(url) => reader.fault(
            PUBLIC_URL,
            "must be an https address where people sign in (http only on this machine)",
        ),
        None if !is_given && !listen.ip().is_loopback() => reader.fault(
            PUBLIC_URL,
            "is not set; people who sign in must be sent back to it",
        ),
        _ => {}
    }
}

fn is_any_set(reader: &Reader<'_>, variables: &[&'static str]) -> bool {
    variables
        .iter()
        .any(|variable| reader.optional(variable).is_some())
}
