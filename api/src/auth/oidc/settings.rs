//! Which provider signs people in, and how it marks an operator.

use std::str::FromStr;

use openidconnect::{ClientId, ClientSecret, IssuerUrl};

use crate::domain::origin::is_web_origin;

/// Settings that cannot be used, for the operator who set them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OidcSettingsError {
    #[error("must be an https address (http only on this machine), as the provider spells it")]
    Issuer,
    #[error("must list claims and values, as sub=alice,groups=ringfence-operators")]
    Operators,
}

/// A claim with a value that makes its bearer an operator: the subject, or whatever else the provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorMark {
    pub claim: String,
    pub value: String,
}

impl FromStr for OperatorMark {
    type Err = OidcSettingsError;

    fn from_str(text: &str) -> Result<Self, OidcSettingsError> {
        match text.trim().split_once('=') {
            Some((claim, value)) if !claim.is_empty() && !value.is_empty() => Ok(Self {
                claim: claim.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err(OidcSettingsError::Operators),
        }
    }
}

#[derive(Debug, Clone)]
pub struct OidcSettings {
    pub(super) issuer: IssuerUrl,
    pub(super) client_id: ClientId,
    pub(super) client_secret: Option<ClientSecret>,
    /// What is asked for beside `openid`.
    pub(super) scopes: Vec<String>,
    pub(super) operators: Vec<OperatorMark>,
}

impl OidcSettings {
    /// Without a secret the provider has to know us as a public client.
    pub fn new(
        issuer: &str,
        client_id: String,
        client_secret: Option<String>,
        scopes: Vec<String>,
        operators: Vec<OperatorMark>,
    ) -> Result<Self, OidcSettingsError> {
        let issuer = IssuerUrl::new(issuer.to_owned()).map_err(|_| OidcSettingsError::Issuer)?;
        if !is_web_origin(issuer.url()) {
            return Err(OidcSettingsError::Issuer);
        }
        Ok(Self {
            issuer,
            client_id: ClientId::new(client_id),
            client_secret: client_secret.map(ClientSecret::new),
            scopes,
            operators,
        })
    }
}
