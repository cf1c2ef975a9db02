//! Bearer tokens of an identity provider: a JWT is accepted when a key of the provider signed it, with an algorithm that
//! we allow, for us, and for now.
//!
//! Only public-key algorithms exist here, so a public key can never be taken for a shared secret. Everything that is
//! checked is demanded: a token without expiry, start, audience, issuer, subject or key id is refused. What a token says
//! about keys (`jwk`, `jku`, `x5u`) is ignored. When the provider cannot be reached, known keys go on working.

mod claims;
mod keys;
mod settings;

use jiff::Timestamp;
use jsonwebtoken::{Validation, decode, decode_header};
use serde_json::Value;

pub use self::claims::{Claims, Grant};
pub use self::settings::{JwtSettings, JwtSettingsError};

use self::keys::KeySet;

/// Longer than any token of a provider, and short enough to be decoded without thought.
const LONGEST_TOKEN: usize = 8 * 1024;

/// Why a token is refused. The texts are for whoever sent it: they name what to mend and repeat nothing of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    #[error("the token is not a JWT")]
    Malformed,
    #[error("the token's algorithm is not accepted")]
    Algorithm,
    #[error("the token names a critical extension")]
    CriticalExtension,
    #[error("the token's key is not one of the identity provider's")]
    UnknownKey,
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token's claim {0} is missing or wrong")]
    Claim(&'static str),
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Not the caller's fault: a key is unknown and the provider could not be asked.
    #[error("the identity provider's keys cannot be read at the moment")]
    KeysUnavailable,
}

/// Checks tokens of one provider. Shared by all requests; holds the provider's keys.
#[derive(Debug)]
pub struct Verifier {
    settings: JwtSettings,
    keys: KeySet,
}

impl Verifier {
    pub fn new(settings: JwtSettings) -> Result<Self, JwtSettingsError> {
        let keys = KeySet::new(settings.jwks_url.clone())?;
        Ok(Self { settings, keys })
    }

    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, JwtError> {
        if token.len() > LONGEST_TOKEN {
            return Err(JwtError::Malformed);
        }
        // An algorithm that the library does not know, `none` among them, fails here.
        let header = decode_header(token).map_err(|_| JwtError::Malformed)?;
        if !self.settings.algorithms.contains(&header.alg) {
            return Err(JwtError::Algorithm);
        }
        if header.crit.is_some() {
            return Err(JwtError::CriticalExtension);
        }
        let key_id = header.kid.as_deref().ok_or(JwtError::UnknownKey)?;
        let key = self.keys.find(key_id, now).await?;
        if key.algorithm.is_some_and(|only| only != header.alg) {
            return Err(JwtError::Algorithm);
        }
        let verified = decode::<Value>(token, &key.key, &signature_only(header.alg))
            .map_err(|_| JwtError::Signature)?;
        claims::read(&verified.claims, &self.settings, now)
    }
}

/// The library would compare times with the system's clock, so all claims are checked by us.
fn signature_only(algorithm: jsonwebtoken::Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}
