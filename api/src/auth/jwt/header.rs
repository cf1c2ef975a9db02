//! What a token says before its signature is checked: how it is signed, and who claims to have issued it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, decode_header};
use serde_json::{Map, Value};

use super::JwtError;
use crate::strict_json::Strict;

/// Longer than any token of a provider, and short enough to be decoded without thought.
const LONGEST_TOKEN: usize = 8 * 1024;

pub(super) struct Signed {
    pub algorithm: Algorithm,
    pub key_id: String,
}

/// How the token says that it is signed. What it says about keys beside their id is ignored.
pub(super) fn signed(token: &str) -> Result<Signed, JwtError> {
    let [head, _] = parts(token)?;
    if ["crit", "b64"].iter().any(|name| head.contains_key(*name)) {
        return Err(JwtError::CriticalExtension);
    }
    // An algorithm that the library does not know, `none` among them, fails here.
    let header = decode_header(token).map_err(|_| JwtError::Malformed)?;
    Ok(Signed {
        algorithm: header.alg,
        key_id: header.kid.ok_or(JwtError::UnknownKey)?,
    })
}

/// Who is said to have issued a token, and for whom. Nothing of it is believed: it only tells whose keys to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alleged {
    pub issuer: String,
    audience: Option<Value>,
}

impl Alleged {
    pub fn of(token: &str) -> Result<Self, JwtError> {
        let [_, mut claims] = parts(token)?;
        let Some(Value::String(issuer)) = claims.remove("iss") else {
            return Err(JwtError::Claim("iss"));
        };
        // It is looked up in the database, which takes no such characters.
        if issuer.chars().any(char::is_control) {
            return Err(JwtError::Claim("iss"));
        }
        Ok(Self {
            issuer,
            audience: claims.remove("aud"),
        })
    }

    #[must_use]
    pub fn is_for(&self, audience: &str) -> bool {
        is_for(self.audience.as_ref(), audience)
    }
}

pub(super) fn is_for(audience: Option<&Value>, us: &str) -> bool {
    match audience {
        Some(Value::String(one)) => one == us,
        Some(Value::Array(several)) => several.iter().any(|one| one == us),
        _ => false,
    }
}

fn parts(token: &str) -> Result<[Map<String, Value>; 2], JwtError> {
    if token.len() > LONGEST_TOKEN {
        return Err(JwtError::Malformed);
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, _] = parts[..] else {
        return Err(JwtError::Malformed);
    };
    Ok([object(head)?, object(claims)?])
}

fn object(part: &str) -> Result<Map<String, Value>, JwtError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| JwtError::Malformed)?;
    match serde_json::from_slice(&bytes) {
        Ok(Strict(Value::Object(members))) => Ok(members),
        _ => Err(JwtError::Malformed),
    }
}
