//! Erases tenants that the operator has deleted.
//!
//! Invariants: limiters are told that the tenant's numbers are off its lists before the lists are erased; each step is a
//! transaction of its own and harmless when done twice, so that any process goes on where another one stopped. Failure:
//! what could not be erased is tried again at the next look; the tenant stays `deleting` until nothing is left.

use crate::clock::{Clock, IdSource};
use crate::domain::ids::TenantId;
use crate::store::{Change, Store, StoreError};

use super::WakeUps;
use super::driver::Found;

/// Rows at a time, so that no transaction grows long.
const ROWS: i64 = 1000;

#[derive(Debug, Clone)]
pub struct Eraser {
    pub store: Store,
    pub clock: Clock,
    pub ids: IdSource,
    pub wake_ups: WakeUps,
}

impl Eraser {
    /// One step for each tenant that is being deleted. One that cannot be erased keeps no other back.
    pub async fn look(&self) -> Result<Found, StoreError> {
        let mut found = Found::Nothing;
        let mut failure = None;
        for tenant in self.store.tenants_deleting().await? {
            match self.step(tenant).await {
                Ok(true) => found = Found::Work,
                Ok(false) => {}
                Err(err) => {
                    tracing::error!(tenant.id = %tenant, error = %err, "a tenant is not erased");
                    failure = Some(err);
                }
            }
        }
        failure.map_or(Ok(found), Err)
    }

    /// False: limiters have not heard of the last removals yet.
    async fn step(&self, tenant: TenantId) -> Result<bool, StoreError> {
        let mut tx = self.store.tenant(tenant).await?;
        let removed = tx
            .listed_numbers_remove_some(ROWS, self.clock.now())
            .await?;
        if removed > 0 {
            tx.commit().await?;
            self.wake_ups.numbers.wake();
            return Ok(true);
        }
        if tx.listed_numbers_unpublished().await? {
            return Ok(false);
        }
        tx.commit().await?;
        if self.store.tenant_erase_some(tenant, ROWS).await? {
            return Ok(true);
        }
        let mut tx = self.store.tenant_erased(tenant).await?;
        tx.audit_append(&self.erased(tenant)).await?;
        tx.commit().await?;
        tracing::info!(tenant.id = %tenant, "a tenant was erased");
        Ok(true)
    }

    fn erased(&self, tenant: TenantId) -> Change {
        Change {
            id: self.ids.uuid(),
            at: self.clock.now(),
            actor: "worker".to_owned(),
            action: "tenant.erase",
            target: tenant.to_string(),
            before: None,
            after: None,
            request_id: None,
            ip: None,
        }
    }
}
