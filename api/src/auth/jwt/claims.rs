//! What a verified token says: by whom, for whom and until when.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::grant::Grant;
use super::header::is_for;
use super::{JwtError, JwtSettings};

/// The provider's clock and ours may differ by this much.
const LEEWAY_SECONDS: f64 = 30.0;
const LONGEST_SUBJECT: usize = 255;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Whom the provider vouches for; goes into the audit log.
    pub subject: String,
    pub grant: Grant,
}

pub(super) fn read(
    claims: &Map<String, Value>,
    settings: &JwtSettings,
    now: Timestamp,
) -> Result<Claims, JwtError> {
    if text(claims, "iss")? != settings.issuer {
        return Err(JwtError::Claim("iss"));
    }
    if !is_for(claims.get("aud"), &settings.audience) {
        return Err(JwtError::Claim("aud"));
    }
    let now = now.as_duration().as_secs_f64();
    if now >= seconds(claims, "exp")? + LEEWAY_SECONDS {
        return Err(JwtError::Expired);
    }
    let issued_later = claims.contains_key("iat") && seconds(claims, "iat")? > now + LEEWAY_SECONDS;
    if issued_later || now < seconds(claims, "nbf")? - LEEWAY_SECONDS {
        return Err(JwtError::NotYetValid);
    }
    let subject = text(claims, "sub")?;
    let storable = !subject.chars().any(char::is_control);
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT || !storable {
        return Err(JwtError::Claim("sub"));
    }
    Ok(Claims {
        subject: subject.to_owned(),
        grant: settings.trust.grant(claims)?,
    })
}

pub(super) fn text<'a>(
    claims: &'a Map<String, Value>,
    name: &'static str,
) -> Result<&'a str, JwtError> {
    claims
        .get(name)
        .and_then(Value::as_str)
        .ok_or(JwtError::Claim(name))
}

/// A time in seconds since 1970, with or without a fraction.
fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<f64, JwtError> {
    claims
        .get(name)
        .and_then(Value::as_f64)
        .ok_or(JwtError::Claim(name))
}
