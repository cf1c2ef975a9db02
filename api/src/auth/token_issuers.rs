//! Verifiers for the issuers that tenants registered, made when first needed and kept with their keys.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::AuthError;
use super::jwt::{JwtSettings, KeyReader, RoleMapping, Trust, Verifier};
use crate::domain::ids::{TenantId, TokenIssuerId};
use crate::outbound::Outbound;
use crate::store::{StoreError, TokenIssuer};

/// Beyond that an arbitrary one is forgotten, and asks for its keys again when it is needed.
const KEPT: usize = 1000;

pub(super) struct TenantVerifiers {
    outbound: Outbound,
    /// A registration is never changed, so its id stands for all that it says.
    known: Mutex<HashMap<TokenIssuerId, Arc<Verifier>>>,
}

impl std::fmt::Debug for TenantVerifiers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantVerifiers").finish_non_exhaustive()
    }
}

impl TenantVerifiers {
    pub fn new(outbound: Outbound) -> Self {
        Self {
            outbound,
            known: Mutex::default(),
        }
    }

    pub fn verifier(
        &self,
        tenant: TenantId,
        issuer: &TokenIssuer,
    ) -> Result<Arc<Verifier>, AuthError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verifier) = known.get(&issuer.id) {
            return Ok(Arc::clone(verifier));
        }
        if known.len() >= KEPT
            && let Some(any) = known.keys().next().copied()
        {
            known.remove(&any);
        }
        let made = Arc::new(self.make(tenant, issuer)?);
        known.insert(issuer.id, Arc::clone(&made));
        Ok(made)
    }

    fn make(&self, tenant: TenantId, issuer: &TokenIssuer) -> Result<Verifier, AuthError> {
        let algorithms: Vec<&str> = issuer.algorithms.iter().map(String::as_str).collect();
        let settings = JwtSettings::new(
            &issuer.issuer,
            &issuer.audience,
            &issuer.jwks_url,
            &algorithms,
        );
        let settings = settings.map_err(|err| StoreError::Corrupt {
            what: "token_issuers",
            detail: format!("{}: {err}", issuer.id),
        })?;
        let roles = RoleMapping {
            claim: issuer.role_claim.clone(),
            roles: issuer.roles.clone(),
            otherwise: issuer.default_role,
        };
        let trust = Trust::Tenant { tenant, roles };
        let reader = KeyReader::Tenant(self.outbound.clone());
        Ok(Verifier::new(settings.trusted(trust), reader))
    }
}
