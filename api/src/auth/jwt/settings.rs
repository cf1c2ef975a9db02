//! Which provider, which audience, which algorithms.

use std::str::FromStr;

use jsonwebtoken::Algorithm;
use url::Url;

use super::grant::Trust;

/// The ways in which tokens may be signed: by a private key, never by a secret that both sides know.
pub const ALGORITHMS: [&str; 9] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
];

/// Settings that cannot be used, for the operator who set them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwtSettingsError {
    #[error("the address of the key set is not an http or https address")]
    KeySetAddress,
    #[error(
        "{0:?} is not an accepted algorithm: use RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA"
    )]
    Algorithm(String),
    #[error("at least one algorithm is needed")]
    NoAlgorithm,
    #[error("the issuer and the audience must not be empty")]
    Empty,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtSettings {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) jwks_url: Url,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) trust: Trust,
}

impl JwtSettings {
    /// `algorithms` by their names in JWT headers; shared-secret algorithms are refused.
    pub fn new(
        issuer: &str,
        audience: &str,
        jwks_url: &str,
        algorithms: &[&str],
    ) -> Result<Self, JwtSettingsError> {
        if issuer.is_empty() || audience.is_empty() {
            return Err(JwtSettingsError::Empty);
        }
        let jwks_url = Url::parse(jwks_url).map_err(|_| JwtSettingsError::KeySetAddress)?;
        if !matches!(jwks_url.scheme(), "http" | "https") || !jwks_url.has_host() {
            return Err(JwtSettingsError::KeySetAddress);
        }
        let algorithms = algorithms
            .iter()
            .map(|name| public_key(name))
            .collect::<Result<Vec<_>, _>>()?;
        if algorithms.is_empty() {
            return Err(JwtSettingsError::NoAlgorithm);
        }
        Ok(Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            jwks_url,
            algorithms,
            trust: Trust::Operator,
        })
    }

    /// Whether tokens may be signed that way.
    pub fn algorithm(name: &str) -> Result<(), JwtSettingsError> {
        public_key(name).map(|_| ())
    }

    /// The same provider, believed no further than `trust` says.
    #[must_use]
    pub fn trusted(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }
}

fn public_key(name: &str) -> Result<Algorithm, JwtSettingsError> {
    let refused = || JwtSettingsError::Algorithm(name.to_owned());
    if !ALGORITHMS.contains(&name) {
        return Err(refused());
    }
    Algorithm::from_str(name).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(url: &str, algorithms: &[&str]) -> Result<JwtSettings, JwtSettingsError> {
        JwtSettings::new("https://id.example", "ringfence", url, algorithms)
    }

    #[test]
    fn shared_secrets_no_algorithm_and_odd_addresses_are_refused() {
        let url = "https://id.example/keys";
        assert!(with(url, &ALGORITHMS).is_ok());
        for name in ["HS256", "HS512", "none", "", "rs256"] {
            assert_eq!(
                with(url, &["RS256", name]),
                Err(JwtSettingsError::Algorithm(name.to_owned()))
            );
        }
        assert_eq!(with(url, &[]), Err(JwtSettingsError::NoAlgorithm));
        for url in ["", "keys", "file:///etc/passwd", "data:text/plain,x"] {
            assert_eq!(
                with(url, &["RS256"]),
                Err(JwtSettingsError::KeySetAddress),
                "{url}"
            );
        }
        assert_eq!(
            JwtSettings::new("", "ringfence", url, &["RS256"]),
            Err(JwtSettingsError::Empty)
        );
    }
}
