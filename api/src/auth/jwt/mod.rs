//! Bearer tokens of an identity provider: a JWT is accepted when a key of the provider signed it, with an algorithm that
//! we allow, for us, and for now.
//!
//! Only public-key algorithms exist here, so a public key can never be taken for a shared secret. Everything that is
//! checked is demanded: a token without expiry, start, audience, issuer, subject or key id is refused, and so is one that
//! says anything twice. What a token says about keys (`jwk`, `jku`, `x5u`) is ignored. When the provider cannot be
//! reached, known keys go on working for a day.

mod claims;
mod grant;
mod header;
mod keys;
mod settings;

use std::sync::Arc;

use jiff::Timestamp;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode};
use serde_json::Value;

pub use self::claims::Claims;
pub use self::grant::{Grant, RoleMapping, Trust};
pub use self::header::Alleged;
pub use self::keys::KeyReader;
pub use self::settings::{ALGORITHMS, JwtSettings, JwtSettingsError};

use self::keys::KeySet;
use crate::strict_json::Strict;

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
    #[error("the token's claims give its bearer no role in the tenant")]
    NoRole,
    /// Not the caller's fault: a key is unknown and the provider could not be asked.
    #[error("the identity provider's keys cannot be read at the moment")]
    KeysUnavailable,
}

impl JwtError {
    /// Whether the provider's signature was seen before: so whoever sent the token is somebody whom the provider knows.
    #[must_use]
    pub fn is_of_a_signed_token(&self) -> bool {
        match self {
            Self::Claim(_) | Self::Expired | Self::NotYetValid | Self::NoRole => true,
            Self::Malformed
            | Self::Algorithm
            | Self::CriticalExtension
            | Self::UnknownKey
            | Self::Signature
            | Self::KeysUnavailable => false,
        }
    }
}

/// Checks tokens of one provider. Shared by all requests; holds the provider's keys.
#[derive(Debug)]
pub struct Verifier {
    settings: JwtSettings,
    keys: Arc<KeySet>,
}

impl Verifier {
    #[must_use]
    pub fn new(settings: JwtSettings, reader: KeyReader) -> Self {
        let keys = KeySet::new(settings.jwks_url.clone(), reader);
        Self {
            settings,
            keys: Arc::new(keys),
        }
    }

    /// Whether it is this provider that should be asked about a token.
    #[must_use]
    pub fn is_meant(&self, alleged: &Alleged) -> bool {
        alleged.issuer == self.settings.issuer && alleged.is_for(&self.settings.audience)
    }

    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, JwtError> {
        let signed = header::signed(token)?;
        if !self.settings.algorithms.contains(&signed.algorithm) {
            return Err(JwtError::Algorithm);
        }
        let key = self.keys.find(&signed.key_id, now).await?;
        if key.algorithm.is_some_and(|only| only != signed.algorithm) {
            return Err(JwtError::Algorithm);
        }
        let validation = signature_only(signed.algorithm);
        let verified =
            decode::<Strict>(token, &key.key, &validation).map_err(|err| match err.kind() {
                ErrorKind::Json(_) => JwtError::Malformed,
                _ => JwtError::Signature,
            })?;
        let Strict(Value::Object(said)) = &verified.claims else {
            return Err(JwtError::Malformed);
        };
        claims::read(said, &self.settings, now)
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
