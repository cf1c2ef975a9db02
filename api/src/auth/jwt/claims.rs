//! What a verified token says: for whom, until when, and what its bearer may do.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{JwtError, JwtSettings};
use crate::domain::ids::TenantId;
use crate::domain::role::Role;

/// The provider's clock and ours may differ by this much.
const LEEWAY_SECONDS: f64 = 30.0;
const LONGEST_SUBJECT: usize = 255;

const ROLE: &str = "ringfence_role";
const TENANT: &str = "ringfence_tenant";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Whom the provider vouches for; goes into the audit log.
    pub subject: String,
    pub grant: Grant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    Operator,
    Member { tenant: TenantId, role: Role },
}

pub(super) fn read(
    claims: &Value,
    settings: &JwtSettings,
    now: Timestamp,
) -> Result<Claims, JwtError> {
    let claims = claims.as_object().ok_or(JwtError::Malformed)?;
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
    if now < seconds(claims, "nbf")? - LEEWAY_SECONDS {
        return Err(JwtError::NotYetValid);
    }
    let subject = text(claims, "sub")?;
    let storable = !subject.chars().any(char::is_control);
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT || !storable {
        return Err(JwtError::Claim("sub"));
    }
    Ok(Claims {
        subject: subject.to_owned(),
        grant: grant(claims)?,
    })
}

/// An operator's token names no tenant: one that does was meant for a member, and must not reach further.
fn grant(claims: &Map<String, Value>) -> Result<Grant, JwtError> {
    let role = text(claims, ROLE)?;
    if role == "operator" {
        return match claims.get(TENANT) {
            None => Ok(Grant::Operator),
            Some(_) => Err(JwtError::Claim(TENANT)),
        };
    }
    let role = role.parse().map_err(|_| JwtError::Claim(ROLE))?;
    let tenant = text(claims, TENANT)?
        .parse()
        .map_err(|_| JwtError::Claim(TENANT))?;
    Ok(Grant::Member { tenant, role })
}

fn is_for(audience: Option<&Value>, us: &str) -> bool {
    match audience {
        Some(Value::String(one)) => one == us,
        Some(Value::Array(several)) => several.iter().any(|one| one == us),
        _ => false,
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, JwtError> {
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
