//! What limiters are to be told about each instance, and what they have been told: as tenants see and change it.

use jiff::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::{from_db_opt, to_db};
use super::{StoreError, TenantTx};
use crate::domain::ids::{InstanceId, PolicyId};

/// Far above any revision, with room to count on.
pub(super) const REVISION_MAX: u64 = 1 << 60;

/// What limiters read now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    pub instance: InstanceId,
    pub policy_id: Option<PolicyId>,
    pub policy_version: Option<u64>,
    pub published_at: Option<Timestamp>,
}

/// How far an instance's publication has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PublicationState {
    /// Limiters read what is wanted.
    pub is_current: bool,
    /// Limiters read something, or may do so soon.
    pub is_known: bool,
}

struct InForceRow {
    instance_id: Uuid,
    policy_id: Option<Uuid>,
    policy_version: Option<i64>,
    published_at: Option<OffsetDateTime>,
}

pub(super) fn unsigned(number: i64, what: &'static str) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Corrupt {
        what,
        detail: number.to_string(),
    })
}

pub(super) fn first_revision(now: Timestamp) -> i64 {
    now.as_millisecond().max(1)
}

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl TryFrom<InForceRow> for InForce {
    type Error = StoreError;

    fn try_from(row: InForceRow) -> Result<Self, StoreError> {
        Ok(Self {
            instance: InstanceId(row.instance_id),
            policy_id: row.policy_id.map(PolicyId),
            policy_version: row
                .policy_version
                .map(|version| unsigned(version, "publications.policy_version"))
                .transpose()?,
            published_at: from_db_opt(row.published_at)?,
        })
    }
}

impl TenantTx {
    /// Something that the instance's limiter is told has changed; without an instance: for all of the tenant's.
    pub async fn publication_touch(
        &mut self,
        instance: Option<InstanceId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        // In one order, or two that touch all of them would wait for each other.
        sqlx::query!(
            "with touched as (
                 select instance_id from publications
                 where tenant_id = $1 and ($2::uuid is null or instance_id = $2) and active
                 order by instance_id for update
             )
             update publications p set wanted = wanted + 1, next_due_at = $3, attempts = 0
             from touched where p.tenant_id = $1 and p.instance_id = touched.instance_id",
            tenant_id,
            instance.map(|instance| instance.0),
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// From now on limiters are to know the instance. Revisions begin at the time, so that they grow also when an
    /// instance was deleted here and is registered anew.
    pub async fn publication_activate(
        &mut self,
        instance: InstanceId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "insert into publications (tenant_id, instance_id, active, wanted, published, attempts, next_due_at)
             values ($1, $2, true, $4, 0, 0, $3)
             on conflict on constraint publications_pkey do update
             set active = true, wanted = publications.wanted + 1, next_due_at = excluded.next_due_at, attempts = 0",
            tenant_id,
            instance.0,
            to_db(now),
            first_revision(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    pub async fn publication_state(
        &mut self,
        instance: InstanceId,
    ) -> Result<PublicationState, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query!(
            "select active, wanted, published from publications where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(
            row.map_or_else(PublicationState::default, |row| PublicationState {
                is_current: row.active && row.wanted == row.published,
                is_known: row.active || row.published > 0,
            }),
        )
    }

    /// What is in force at each of the tenant's instances.
    pub async fn publication_in_force(&mut self) -> Result<Vec<InForce>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            InForceRow,
            "select instance_id, policy_id, policy_version, published_at from publications
             where tenant_id = $1 and active and published > 0 order by instance_id",
            tenant_id,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(InForce::try_from).collect()
    }
}
