//! From a credential to a principal.

use super::error::AuthError;
use super::jwt::{Alleged, Grant, Verifier};
use super::keys::{API_PREFIX, OPERATOR_PREFIX, sha256};
use super::last_use::{LastUse, Used};
use super::principal::{Kind, Principal};
use super::session::{SignedIn, idle_since};
use super::token_issuers::TenantVerifiers;
use crate::clock::Clock;
use crate::domain::ids::TenantId;
use crate::domain::role::Role;
use crate::domain::tenant::Tenant;
use crate::outbound::Outbound;
use crate::store::{Store, StoreError, SystemTx};

const REASON: &str = "whose a credential is, is known only once it has been found";

/// Whose credential it is.
#[derive(Debug)]
pub struct Authenticated {
    pub principal: Principal,
    /// Whether they may see the tenant that they named beside it. Who may not goes no further, and is counted all the same.
    pub named: Result<(), AuthError>,
}

/// Recognises callers.
#[derive(Debug)]
pub struct Authenticator {
    store: Store,
    clock: Clock,
    jwt: Option<Verifier>,
    tenants: TenantVerifiers,
    last_use: LastUse,
}

impl Authenticator {
    #[must_use]
    /// `outbound`: for key sets that tenants name.
    pub fn new(store: Store, clock: Clock, jwt: Option<Verifier>, outbound: Outbound) -> Self {
        Self {
            last_use: LastUse::new(store.clone()),
            tenants: TenantVerifiers::new(outbound),
            store,
            clock,
            jwt,
        }
    }

    /// `acts_for`: the tenant that the caller names beside the credential, if any.
    pub async fn bearer(
        &self,
        bearer: &str,
        acts_for: Option<&str>,
    ) -> Result<Authenticated, AuthError> {
        let named = named(acts_for);
        if bearer.starts_with(OPERATOR_PREFIX) {
            self.operator_key(bearer, named).await
        } else if bearer.starts_with(API_PREFIX) {
            self.api_key(bearer, named).await
        } else {
            self.token(bearer, named).await
        }
    }

    /// By the secret in a browser's cookie. Of several tenants the request names one; of a single one it need not.
    pub async fn session(
        &self,
        secret: &str,
        acts_for: Option<&str>,
    ) -> Result<Authenticated, AuthError> {
        let now = self.clock.now();
        let mut tx = self.store.system(REASON).await?;
        let found = tx
            .session_find(&sha256(secret), now, idle_since(now))
            .await?
            .ok_or(AuthError::UnknownSession)?;
        let memberships = tx.membership_list(found.person.id).await?;
        let named = named(acts_for);
        let own = match (&named, &memberships[..]) {
            (Ok(Some(named)), all) => all.iter().find(|one| one.tenant.id == *named),
            (Ok(None), [only]) => Some(only),
            _ => None,
        };
        let (tenant, role, named) = match own {
            _ if found.is_operator => {
                let (tenant, named) = tenant_named(&mut tx, named).await?;
                (tenant, Role::Owner, named)
            }
            Some(own) => (Some(own.tenant.clone()), own.role, Ok(())),
            None => {
                let named = match named {
                    Ok(None) => Ok(()),
                    _ => Err(AuthError::UnknownTenant),
                };
                (None, Role::Viewer, named)
            }
        };
        tx.commit().await?;
        self.last_use
            .note(Used::Session(found.id), Some(found.used_at), now);
        let principal = Principal {
            kind: Kind::Session(Box::new(SignedIn {
                session: found.id,
                person: found.person,
                is_operator: found.is_operator,
                memberships,
            })),
            tenant,
            role,
            scopes: None,
            expires_at: None,
        };
        Ok(Authenticated { principal, named })
    }

    async fn operator_key(&self, key: &str, named: Named) -> Result<Authenticated, AuthError> {
        let now = self.clock.now();
        let mut tx = self.store.system(REASON).await?;
        let (id, last_used_at) = tx
            .operator_key_find(&sha256(key))
            .await?
            .ok_or(AuthError::UnknownKey)?;
        let (tenant, named) = tenant_named(&mut tx, named).await?;
        tx.commit().await?;
        self.last_use.note(Used::OperatorKey(id), last_used_at, now);
        let principal = Principal {
            kind: Kind::OperatorKey(id),
            tenant,
            role: Role::Owner,
            scopes: None,
            expires_at: None,
        };
        Ok(Authenticated { principal, named })
    }

    async fn api_key(&self, key: &str, named: Named) -> Result<Authenticated, AuthError> {
        let now = self.clock.now();
        let mut tx = self.store.system(REASON).await?;
        let found = tx
            .api_key_find(&sha256(key), now)
            .await?
            .ok_or(AuthError::UnknownKey)?;
        let (tenant, named) = own_tenant(&mut tx, found.tenant_id, named).await?;
        tx.commit().await?;
        let used = Used::ApiKey(found.tenant_id, found.id);
        self.last_use.note(used, found.last_used_at, now);
        let principal = Principal {
            kind: Kind::ApiKey(found.id),
            tenant: Some(tenant),
            role: found.role,
            scopes: found.scopes,
            expires_at: found.expires_at,
        };
        Ok(Authenticated { principal, named })
    }

    async fn token(&self, token: &str, named: Named) -> Result<Authenticated, AuthError> {
        let alleged = Alleged::of(token)?;
        match &self.jwt {
            Some(verifier) if verifier.is_meant(&alleged) => {
                self.operators_token(verifier, token, named).await
            }
            _ => self.tenants_token(token, &alleged, named).await,
        }
    }

    async fn operators_token(
        &self,
        verifier: &Verifier,
        token: &str,
        named: Named,
    ) -> Result<Authenticated, AuthError> {
        let claims = verifier.verify(token, self.clock.now()).await?;
        let mut tx = self.store.system(REASON).await?;
        let (tenant, named, role, is_operator) = match claims.grant {
            Grant::Operator => {
                let (tenant, named) = tenant_named(&mut tx, named).await?;
                (tenant, named, Role::Owner, true)
            }
            Grant::Member { tenant, role } => {
                let (tenant, named) = own_tenant(&mut tx, tenant, named).await?;
                (Some(tenant), named, role, false)
            }
        };
        tx.commit().await?;
        let principal = Principal {
            kind: Kind::Token {
                subject: claims.subject,
                issuer: None,
                is_operator,
            },
            tenant,
            role,
            scopes: None,
            expires_at: None,
        };
        Ok(Authenticated { principal, named })
    }

    /// The tenant has to be named: two tenants may accept the same issuer, and neither may decide for the other. Until
    /// the signature is verified nobody is told whether the tenant exists, which issuers it accepts, or whether their keys
    /// can be read: anybody can write a token that has no signature.
    async fn tenants_token(
        &self,
        token: &str,
        alleged: &Alleged,
        named: Named,
    ) -> Result<Authenticated, AuthError> {
        let Ok(Some(named)) = named else {
            return Err(AuthError::UnknownIssuer);
        };
        let mut tx = self.store.tenant(named).await?;
        let tenant = tx.tenant_self().await?;
        let issuer = tx.token_issuer_named(&alleged.issuer).await?;
        // The key set may have to be asked for, which must hold no connection.
        tx.commit().await?;
        let (Some(tenant), Some(issuer)) = (tenant, issuer) else {
            return Err(AuthError::UnknownIssuer);
        };
        let verifier = self.tenants.verifier(tenant.id, &issuer)?;
        let verified = verifier.verify(token, self.clock.now()).await;
        let claims = verified.map_err(|err| match err.is_of_a_signed_token() {
            true => AuthError::Jwt(err),
            false => {
                tracing::warn!(tenant = %tenant.id, issuer = %issuer.id, error = %err, "a token could not be verified");
                AuthError::UnknownIssuer
            }
        })?;
        let Grant::Member { role, .. } = claims.grant else {
            return Err(AuthError::UnknownIssuer);
        };
        let principal = Principal {
            kind: Kind::Token {
                subject: claims.subject,
                issuer: Some(issuer.id),
                is_operator: false,
            },
            tenant: Some(tenant),
            role,
            scopes: None,
            expires_at: None,
        };
        Ok(Authenticated {
            principal,
            named: Ok(()),
        })
    }
}

type Named = Result<Option<TenantId>, AuthError>;

fn named(acts_for: Option<&str>) -> Named {
    acts_for
        .map(|text| text.parse().map_err(|_| AuthError::UnknownTenant))
        .transpose()
}

async fn tenant_named(
    tx: &mut SystemTx,
    named: Named,
) -> Result<(Option<Tenant>, Result<(), AuthError>), StoreError> {
    let id = match named {
        Ok(Some(id)) => id,
        Ok(None) => return Ok((None, Ok(()))),
        Err(err) => return Ok((None, Err(err))),
    };
    let tenant = tx.tenant_get(id).await?;
    let found = tenant.as_ref().map(|_| ());
    Ok((tenant, found.ok_or(AuthError::UnknownTenant)))
}

/// Naming a tenant that is not one's own is answered as if there were none.
async fn own_tenant(
    tx: &mut SystemTx,
    own: TenantId,
    named: Named,
) -> Result<(Tenant, Result<(), AuthError>), AuthError> {
    let tenant = tx.tenant_get(own).await?.ok_or(AuthError::UnknownTenant)?;
    let named = match named {
        Ok(named) if named.is_none_or(|named| named == own) => Ok(()),
        _ => Err(AuthError::UnknownTenant),
    };
    Ok((tenant, named))
}
