//! The steps of an installation.

use jiff::Timestamp;
use serde_json::Value;
use time::OffsetDateTime;

use super::time::{from_db, to_db};
use super::{StoreError, TenantTx};
use crate::domain::ids::InstanceId;
use crate::domain::installation::StepStatus;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationStep {
    pub position: i32,
    pub name: String,
    pub target: String,
    pub status: StepStatus,
    pub detail: String,
    pub at: Timestamp,
}

struct StepRow {
    position: i32,
    name: String,
    target: String,
    status: String,
    detail: String,
    at: OffsetDateTime,
}

impl TryFrom<StepRow> for InstallationStep {
    type Error = StoreError;

    fn try_from(row: StepRow) -> Result<Self, StoreError> {
        let status = StepStatus::parse(&row.status).ok_or_else(|| StoreError::Corrupt {
            what: "installation_steps.status",
            detail: row.status.clone(),
        })?;
        Ok(Self {
            position: row.position,
            name: row.name,
            target: row.target,
            status,
            detail: row.detail,
            at: from_db(row.at)?,
        })
    }
}

impl TenantTx {
    /// In the order in which they are done.
    pub async fn installation_step_list(
        &mut self,
        instance: InstanceId,
    ) -> Result<Vec<InstallationStep>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            StepRow,
            "select position, name, target, status, detail, at from installation_steps
             where tenant_id = $1 and instance_id = $2 order by position",
            tenant_id,
            instance.0,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(InstallationStep::try_from).collect()
    }

    /// Replaces whatever was not done, and everything of earlier generations, by these steps; answers the first one's
    /// position.
    pub async fn installation_steps_plan(
        &mut self,
        instance: InstanceId,
        generation: u64,
        steps: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<i32, StoreError> {
        let tenant_id = self.tenant_id().0;
        let generation = i64::try_from(generation).unwrap_or(i64::MAX);
        sqlx::query!(
            "delete from installation_steps
             where tenant_id = $1 and instance_id = $2 and (generation <> $3 or status <> 'done')",
            tenant_id,
            instance.0,
            generation,
        )
        .execute(self.connection())
        .await?;
        let last = sqlx::query_scalar!(
            "select max(position) from installation_steps where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
        )
        .fetch_one(self.connection())
        .await?;
        let first = last.unwrap_or(0).saturating_add(1);
        // In one statement: an instance may have hundreds of queues.
        let names: Vec<String> = steps.iter().map(|(name, _)| (*name).to_owned()).collect();
        let targets: Vec<String> = steps
            .iter()
            .map(|(_, target)| (*target).to_owned())
            .collect();
        sqlx::query!(
            "insert into installation_steps
                 (tenant_id, instance_id, generation, position, name, target, status, detail, at)
             select $1, $2, $3, $4 + (step.place - 1)::integer, step.name, step.target, 'pending', '', $5
             from unnest($6::text[], $7::text[]) with ordinality as step (name, target, place)",
            tenant_id,
            instance.0,
            generation,
            first,
            to_db(now),
            &names,
            &targets,
        )
        .execute(self.connection())
        .await?;
        Ok(first)
    }

    /// Before a step is done: what it is about to change.
    pub async fn installation_step_begin(
        &mut self,
        instance: InstanceId,
        position: i32,
        change: &Value,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update installation_steps set change = $4 where tenant_id = $1 and instance_id = $2 and position = $3",
            tenant_id,
            instance.0,
            position,
            change,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Steps that were begun and never ended: each one's name and what it was about to change.
    pub async fn installation_steps_interrupted(
        &mut self,
        instance: InstanceId,
    ) -> Result<Vec<(String, Value)>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query!(
            r#"select name, change as "change!" from installation_steps
               where tenant_id = $1 and instance_id = $2 and change is not null order by position"#,
            tenant_id,
            instance.0,
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows.into_iter().map(|row| (row.name, row.change)).collect())
    }

    pub async fn installation_step_end(
        &mut self,
        instance: InstanceId,
        position: i32,
        status: StepStatus,
        detail: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update installation_steps set status = $4, detail = $5, at = $6, change = null
             where tenant_id = $1 and instance_id = $2 and position = $3",
            tenant_id,
            instance.0,
            position,
            status.as_str(),
            detail,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
