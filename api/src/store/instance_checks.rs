//! What the last check of a connection's roles found, instance by instance, and which check is due.

use jiff::Timestamp;
use serde_json::Value;

use super::time::to_db;
use super::{Store, StoreError, TenantTx};
use crate::domain::ids::{InstanceId, TenantId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionHealth {
    Unknown,
    Healthy,
    Unhealthy,
}

impl ConnectionHealth {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }

    pub(super) fn parse(text: &str, instance: InstanceId) -> Result<Self, StoreError> {
        [Self::Unknown, Self::Healthy, Self::Unhealthy]
            .into_iter()
            .find(|health| health.as_str() == text)
            .ok_or_else(|| StoreError::Corrupt {
                what: "instances.health",
                detail: instance.to_string(),
            })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceCheck {
    pub health: ConnectionHealth,
    /// Each thing that was tried, as the API shows it.
    pub checks: Value,
    pub checked_at: Option<Timestamp>,
}

/// A check that this process is to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueCheck {
    pub tenant: TenantId,
    pub instance: InstanceId,
    pub attempts: u32,
}

impl TenantTx {
    /// Records what a check found that began at `began_at`; answers the health before. `None`: a later check has been
    /// recorded meanwhile, and this one is left out.
    pub async fn instance_check_record(
        &mut self,
        instance: InstanceId,
        found: &InstanceCheck,
        began_at: Timestamp,
        due_at: Timestamp,
    ) -> Result<Option<ConnectionHealth>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let before = sqlx::query_scalar!(
            "update instances i
             set health = $3, checks = $4, checked_at = $5, check_due_at = $7, check_attempts = 0
             from (select tenant_id, id, health from instances where tenant_id = $1 and id = $2 for update) before
             where i.tenant_id = before.tenant_id and i.id = before.id
                 and (i.checked_at is null or i.checked_at <= $6)
             returning before.health",
            tenant_id,
            instance.0,
            found.health.as_str(),
            found.checks,
            found.checked_at.map(to_db),
            to_db(began_at),
            to_db(due_at),
        )
        .fetch_optional(self.connection())
        .await?;
        before
            .map(|before| ConnectionHealth::parse(&before, instance))
            .transpose()
    }

    /// The next check is due then.
    pub async fn instance_check_at(
        &mut self,
        instance: InstanceId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update instances set check_due_at = $3, check_attempts = 0
             where tenant_id = $1 and id = $2 and verified_at is not null",
            tenant_id,
            instance.0,
            to_db(at),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

impl Store {
    /// Takes the check that is due longest and puts it off, so that other processes leave it alone for a while. Only
    /// where something is installed: elsewhere nobody needs the roles.
    pub async fn instance_check_take_due(
        &self,
        now: Timestamp,
        put_off_to: Timestamp,
    ) -> Result<Option<DueCheck>, StoreError> {
        let mut tx = self
            .system("every tenant's connections are checked")
            .await?;
        let row = sqlx::query!(
            "update instances set check_due_at = $2
             where (tenant_id, id) = (
                 select i.tenant_id, i.id from instances i
                 join installations n on n.tenant_id = i.tenant_id and n.instance_id = i.id
                 where i.check_due_at <= $1 and n.state <> 'uninstalled'
                 order by i.check_due_at limit 1 for update of i skip locked
             )
             returning tenant_id, id, check_attempts",
            to_db(now),
            to_db(put_off_to),
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(row.map(|row| DueCheck {
            tenant: TenantId(row.tenant_id),
            instance: InstanceId(row.id),
            attempts: u32::try_from(row.check_attempts).unwrap_or_default(),
        }))
    }

    /// AWS could not be asked: what was found before stays, and it is tried again at `due_at`.
    pub async fn instance_check_failed(
        &self,
        due: DueCheck,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.tenant(due.tenant).await?;
        sqlx::query!(
            "update instances set check_due_at = $3, check_attempts = check_attempts + 1
             where tenant_id = $1 and id = $2",
            due.tenant.0,
            due.instance.0,
            to_db(due_at),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }
}
