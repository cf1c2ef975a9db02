//! From a bearer credential to a principal.

use super::jwt::{Grant, JwtError, Verifier};
use super::keys::{API_PREFIX, OPERATOR_PREFIX, sha256};
use super::principal::{Kind, Principal};
use crate::clock::Clock;
use crate::domain::ids::TenantId;
use crate::domain::role::Role;
use crate::domain::tenant::Tenant;
use crate::store::{Store, StoreError, SystemTx};

const REASON: &str = "whose a credential is, is known only once it has been found";

#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error("the key is not known, has expired, or has been revoked")]
    UnknownKey,
    #[error("the credential is no key of ours, and no identity provider is set up")]
    NoProvider,
    #[error(transparent)]
    Jwt(#[from] JwtError),
    /// The tenant that is named does not exist, or is not the caller's.
    #[error("there is no such tenant")]
    UnknownTenant,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Recognises callers.
#[derive(Debug)]
pub struct Authenticator {
    store: Store,
    clock: Clock,
    jwt: Option<Verifier>,
}

impl Authenticator {
    #[must_use]
    pub fn new(store: Store, clock: Clock, jwt: Option<Verifier>) -> Self {
        Self { store, clock, jwt }
    }

    /// `acts_for`: the tenant that the caller names beside the credential, if any.
    pub async fn authenticate(
        &self,
        bearer: &str,
        acts_for: Option<&str>,
    ) -> Result<Principal, AuthError> {
        let named = acts_for
            .map(|text| {
                text.parse::<TenantId>()
                    .map_err(|_| AuthError::UnknownTenant)
            })
            .transpose();
        if bearer.starts_with(OPERATOR_PREFIX) {
            self.operator_key(bearer, named).await
        } else if bearer.starts_with(API_PREFIX) {
            self.api_key(bearer, named).await
        } else {
            self.token(bearer, named).await
        }
    }

    async fn operator_key(&self, key: &str, named: Named) -> Result<Principal, AuthError> {
        let mut tx = self.store.system(REASON).await?;
        let id = tx
            .operator_key_use(&sha256(key), self.clock.now())
            .await?
            .ok_or(AuthError::UnknownKey)?;
        let tenant = tenant_named(&mut tx, named?).await?;
        tx.commit().await?;
        Ok(Principal {
            kind: Kind::OperatorKey(id),
            tenant,
            role: Role::Owner,
        })
    }

    async fn api_key(&self, key: &str, named: Named) -> Result<Principal, AuthError> {
        let mut tx = self.store.system(REASON).await?;
        let found = tx
            .api_key_use(&sha256(key), self.clock.now())
            .await?
            .ok_or(AuthError::UnknownKey)?;
        let tenant = own_tenant(&mut tx, found.tenant_id, named?).await?;
        tx.commit().await?;
        Ok(Principal {
            kind: Kind::ApiKey(found.id),
            tenant: Some(tenant),
            role: found.role,
        })
    }

    async fn token(&self, token: &str, named: Named) -> Result<Principal, AuthError> {
        let verifier = self.jwt.as_ref().ok_or(AuthError::NoProvider)?;
        let claims = verifier.verify(token, self.clock.now()).await?;
        let mut tx = self.store.system(REASON).await?;
        let (tenant, role, is_operator) = match claims.grant {
            Grant::Operator => (tenant_named(&mut tx, named?).await?, Role::Owner, true),
            Grant::Member { tenant, role } => (
                Some(own_tenant(&mut tx, tenant, named?).await?),
                role,
                false,
            ),
        };
        Ok(Principal {
            kind: Kind::Token {
                subject: claims.subject,
                is_operator,
            },
            tenant,
            role,
        })
    }
}

type Named = Result<Option<TenantId>, AuthError>;

async fn tenant_named(
    tx: &mut SystemTx,
    named: Option<TenantId>,
) -> Result<Option<Tenant>, AuthError> {
    match named {
        None => Ok(None),
        Some(id) => tx
            .tenant_get(id)
            .await?
            .map(Some)
            .ok_or(AuthError::UnknownTenant),
    }
}

/// Naming a tenant that is not one's own is answered as if there were none.
async fn own_tenant(
    tx: &mut SystemTx,
    own: TenantId,
    named: Option<TenantId>,
) -> Result<Tenant, AuthError> {
    if named.is_some_and(|named| named != own) {
        return Err(AuthError::UnknownTenant);
    }
    tx.tenant_get(own).await?.ok_or(AuthError::UnknownTenant)
}
