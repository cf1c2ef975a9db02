//! Installations: what a tenant asked for, and how far it has come.

use jiff::Timestamp;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::installation_documents::{read_conditions, read_request, write_request};
use super::publications::unsigned;
use super::time::{from_db, to_db};
use super::{StoreError, TenantTx};
use crate::domain::ids::InstanceId;
use crate::domain::installation::{Condition, InstallationRequest, InstallationState};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    pub instance: InstanceId,
    /// `None`: it is to be taken away, or is.
    pub request: Option<InstallationRequest>,
    pub generation: u64,
    pub observed_generation: u64,
    pub state: InstallationState,
    pub conditions: Vec<Condition>,
    pub updated_at: Timestamp,
}

pub(super) struct Row {
    pub(super) instance_id: Uuid,
    pub(super) desired: Option<Value>,
    pub(super) generation: i64,
    pub(super) observed_generation: i64,
    pub(super) state: String,
    pub(super) conditions: Value,
    pub(super) updated_at: OffsetDateTime,
}

impl TenantTx {
    /// Asks for this installation; answers its generation. Work on it is due at once.
    pub async fn installation_put(
        &mut self,
        instance: InstanceId,
        request: &InstallationRequest,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let tenant_id = self.tenant_id().0;
        let generation = sqlx::query_scalar!(
            "insert into installations
                 (tenant_id, instance_id, desired, generation, observed_generation, state, conditions, attempts,
                  next_due_at, updated_at)
             values ($1, $2, $3, 1, 0, 'pending', '[]', 0, $4, $4)
             on conflict on constraint installations_pkey do update
             set desired = excluded.desired, generation = installations.generation + 1,
                 state = case when installations.state = 'uninstalled' then 'pending' else 'installing' end,
                 attempts = 0, next_due_at = excluded.next_due_at, updated_at = excluded.updated_at
             returning generation",
            tenant_id,
            instance.0,
            write_request(request),
            to_db(now),
        )
        .fetch_one(self.connection())
        .await?;
        unsigned(generation, "installations.generation")
    }

    /// Asks for everything to be taken away, or, once that is given up, for our own side to be cleared; answers the
    /// generation. `None`: there is no installation.
    pub async fn installation_remove(
        &mut self,
        instance: InstanceId,
        abandon: bool,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let generation = sqlx::query_scalar!(
            "update installations
             set desired = null, abandoned = $4, generation = generation + 1, state = 'uninstalling', attempts = 0,
                 next_due_at = $3, updated_at = $3
             where tenant_id = $1 and instance_id = $2
             returning generation",
            tenant_id,
            instance.0,
            to_db(now),
            abandon,
        )
        .fetch_optional(self.connection())
        .await?;
        generation
            .map(|generation| unsigned(generation, "installations.generation"))
            .transpose()
    }

    /// A look is due at once: for one installation, or for all of the tenant's. What is wanted stays as it was.
    pub async fn installation_look_now(
        &mut self,
        instance: Option<InstanceId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update installations set looks_asked = looks_asked + 1, attempts = 0, next_due_at = $3
             where tenant_id = $1 and ($2::uuid is null or instance_id = $2) and state <> 'uninstalled'",
            tenant_id,
            instance.map(|instance| instance.0),
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Whether the removal was given up.
    pub async fn installation_is_abandoned(
        &mut self,
        instance: InstanceId,
    ) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let abandoned = sqlx::query_scalar!(
            "select desired is null and abandoned as \"abandoned!\" from installations
             where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(abandoned.unwrap_or_default())
    }

    pub async fn installation_get(
        &mut self,
        instance: InstanceId,
    ) -> Result<Option<Installation>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select instance_id, desired, generation, observed_generation, state, conditions, updated_at
             from installations where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Installation::try_from).transpose()
    }

    /// As [`Self::installation_get`], and nobody else changes it before this transaction ends.
    pub async fn installation_get_locked(
        &mut self,
        instance: InstanceId,
    ) -> Result<Option<Installation>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select instance_id, desired, generation, observed_generation, state, conditions, updated_at
             from installations where tenant_id = $1 and instance_id = $2 for update",
            tenant_id,
            instance.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Installation::try_from).transpose()
    }
}

impl TryFrom<Row> for Installation {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let instance = InstanceId(row.instance_id);
        let corrupt = |what: &'static str| StoreError::Corrupt {
            what,
            detail: instance.to_string(),
        };
        Ok(Self {
            instance,
            request: row
                .desired
                .map(|document| {
                    read_request(document).ok_or_else(|| corrupt("installations.desired"))
                })
                .transpose()?,
            generation: unsigned(row.generation, "installations.generation")?,
            observed_generation: unsigned(
                row.observed_generation,
                "installations.observed_generation",
            )?,
            state: InstallationState::parse(&row.state)
                .ok_or_else(|| corrupt("installations.state"))?,
            conditions: read_conditions(row.conditions)
                .ok_or_else(|| corrupt("installations.conditions"))?,
            updated_at: from_db(row.updated_at)?,
        })
    }
}
