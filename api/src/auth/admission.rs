//! Whether somebody may still change something, asked in the transaction that changes it.
//!
//! A request is recognised in a transaction of its own, and its work may come long after. So a change begins by holding
//! the tenant's row, which whoever suspends or deletes the tenant locks, and by reading the caller anew. What was withdrawn
//! before that is refused as if it had been withdrawn before the request; what is withdrawn after it waits for the change,
//! and finds what it left.

use jiff::Timestamp;

use super::error::AuthError;
use super::principal::{Kind, Principal};
use crate::domain::role::Role;
use crate::domain::tenant::{Tenant, TenantStatus};
use crate::store::{Store, StoreError, TenantTx};

#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("your tenant is suspended: it can read, and change nothing")]
    Suspended,
    #[error("the tenant is deleted, or is being deleted: nothing of it changes any more")]
    Deleted,
    #[error("your role was {was} when you asked, and is {is} now")]
    LessRole { was: Role, is: Role },
    #[error(transparent)]
    Unknown(#[from] AuthError),
}

impl From<StoreError> for Refused {
    fn from(err: StoreError) -> Self {
        Self::Unknown(err.into())
    }
}

impl Principal {
    /// Whether the tenant's standing lets the caller change something in it.
    pub fn may_change(&self, tenant: &Tenant) -> Result<(), Refused> {
        match tenant.status {
            TenantStatus::Active => Ok(()),
            TenantStatus::Suspended if self.is_operator() => Ok(()),
            TenantStatus::Suspended => Err(Refused::Suspended),
            TenantStatus::Deleting | TenantStatus::Deleted => Err(self.gone()),
        }
    }

    /// A tenant that goes is to its own people like one that never was.
    fn gone(&self) -> Refused {
        match self.is_operator() {
            true => Refused::Deleted,
            false => AuthError::UnknownTenant.into(),
        }
    }

    /// The transaction of a change in the tenant.
    pub async fn begin_change(&self, store: &Store, now: Timestamp) -> Result<TenantTx, Refused> {
        let mut tx = self.transaction(store).await?;
        let tenant = tx.tenant_hold().await?;
        self.admitted(tx, tenant, now).await
    }

    /// As [`Self::begin_change`], while nothing else of the tenant is changed: for what takes rights away.
    pub async fn begin_change_alone(
        &self,
        store: &Store,
        now: Timestamp,
    ) -> Result<TenantTx, Refused> {
        let mut tx = self.transaction(store).await?;
        // At once, and not after a weaker lock: two who both held that would wait for each other.
        let tenant = tx.tenant_lock().await?;
        self.admitted(tx, tenant, now).await
    }

    /// That the caller's key, or the issuer of the token, stays until the transaction ends.
    pub async fn hold_credential(&self, tx: &mut TenantTx, now: Timestamp) -> Result<(), Refused> {
        match &self.kind {
            Kind::ApiKey(id) if !tx.api_key_hold(*id, now).await? => {
                Err(AuthError::UnknownKey.into())
            }
            Kind::Token {
                issuer: Some(issuer),
                ..
            } if !tx.token_issuer_hold(*issuer).await? => Err(AuthError::UnknownIssuer.into()),
            _ => Ok(()),
        }
    }

    async fn transaction(&self, store: &Store) -> Result<TenantTx, Refused> {
        let tenant = self.tenant.as_ref().ok_or(AuthError::UnknownTenant)?;
        Ok(store.tenant(tenant.id).await?)
    }

    async fn admitted(
        &self,
        mut tx: TenantTx,
        tenant: Option<Tenant>,
        now: Timestamp,
    ) -> Result<TenantTx, Refused> {
        self.may_change(&tenant.ok_or(AuthError::UnknownTenant)?)?;
        match &self.kind {
            _ if self.is_operator() => {}
            Kind::ApiKey(id) => {
                if !tx.api_key_works(*id, now).await? {
                    return Err(AuthError::UnknownKey.into());
                }
            }
            Kind::Token {
                issuer: Some(issuer),
                ..
            } => {
                if !tx.token_issuer_is_known(*issuer).await? {
                    return Err(AuthError::UnknownIssuer.into());
                }
            }
            Kind::Session(_) => {
                // Whoever is no member any more has no session either.
                let member = self.member().ok_or(AuthError::UnknownSession)?;
                let is = tx.member_hold(member).await?;
                let is = is.ok_or(AuthError::UnknownSession)?;
                if is < self.role {
                    let was = self.role;
                    return Err(Refused::LessRole { was, is });
                }
            }
            Kind::Token { issuer: None, .. } | Kind::OperatorKey(_) => {}
        }
        Ok(tx)
    }
}
