//! The parts of an installation: its steps, its queues, its flows.

use jiff::Timestamp;
use serde_json::Value;
use time::OffsetDateTime;

use super::time::{from_db, to_db};
use super::{StoreError, TenantTx};
use crate::domain::ids::InstanceId;
use crate::domain::installation::{QueueState, StepStatus};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationStep {
    pub position: i32,
    pub name: String,
    pub target: String,
    pub status: StepStatus,
    pub detail: String,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationQueue {
    pub queue_id: String,
    pub name: String,
    pub previous_flow_id: Option<String>,
    /// Our whisper, while the queue is in our hands.
    pub whisper_flow_id: Option<String>,
    pub state: QueueState,
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledFlow {
    /// `notice`, `whisper`, or `whisper:` and the id of the customer's whisper behind it.
    pub key: String,
    pub flow_id: String,
    pub name: String,
    pub content_sha256: String,
    pub service_sha256: Option<String>,
}

struct StepRow {
    position: i32,
    name: String,
    target: String,
    status: String,
    detail: String,
    at: OffsetDateTime,
}

struct QueueRow {
    queue_id: String,
    name: String,
    previous_flow_id: Option<String>,
    whisper_flow_id: Option<String>,
    state: String,
    detail: String,
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

impl TryFrom<QueueRow> for InstallationQueue {
    type Error = StoreError;

    fn try_from(row: QueueRow) -> Result<Self, StoreError> {
        let state = QueueState::parse(&row.state).ok_or_else(|| StoreError::Corrupt {
            what: "installation_queues.state",
            detail: row.queue_id.clone(),
        })?;
        Ok(Self {
            queue_id: row.queue_id,
            name: row.name,
            previous_flow_id: row.previous_flow_id,
            whisper_flow_id: row.whisper_flow_id,
            state,
            detail: row.detail,
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

    pub async fn installation_queue_list(
        &mut self,
        instance: InstanceId,
    ) -> Result<Vec<InstallationQueue>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            QueueRow,
            "select queue_id, name, previous_flow_id, whisper_flow_id, state, detail from installation_queues
             where tenant_id = $1 and instance_id = $2 order by name, queue_id",
            tenant_id,
            instance.0,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(InstallationQueue::try_from).collect()
    }

    /// Writes the queue as given, whatever was known of it.
    pub async fn installation_queue_put(
        &mut self,
        instance: InstanceId,
        queue: &InstallationQueue,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "insert into installation_queues
                 (tenant_id, instance_id, queue_id, name, previous_flow_id, whisper_flow_id, state, detail)
             values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict on constraint installation_queues_pkey do update
             set name = excluded.name, previous_flow_id = excluded.previous_flow_id,
                 whisper_flow_id = excluded.whisper_flow_id, state = excluded.state, detail = excluded.detail",
            tenant_id,
            instance.0,
            queue.queue_id,
            queue.name,
            queue.previous_flow_id,
            queue.whisper_flow_id,
            queue.state.as_str(),
            queue.detail,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    pub async fn installation_queue_delete(
        &mut self,
        instance: InstanceId,
        queue_id: &str,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "delete from installation_queues where tenant_id = $1 and instance_id = $2 and queue_id = $3",
            tenant_id,
            instance.0,
            queue_id,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The fallback function that the instance may invoke, or was about to be let.
    pub async fn installation_fallback(
        &mut self,
        instance: InstanceId,
    ) -> Result<Option<String>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let function_arn = sqlx::query_scalar!(
            "select fallback_function_arn from installations where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(function_arn.flatten())
    }

    pub async fn installation_fallback_set(
        &mut self,
        instance: InstanceId,
        function_arn: Option<&str>,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update installations set fallback_function_arn = $3 where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
            function_arn,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    pub async fn installed_flow_list(
        &mut self,
        instance: InstanceId,
    ) -> Result<Vec<InstalledFlow>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            InstalledFlow,
            "select flow_key as key, flow_id, name, content_sha256, service_sha256 from installed_flows
             where tenant_id = $1 and instance_id = $2 order by flow_key",
            tenant_id,
            instance.0,
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows)
    }

    /// Writes the flow; true when its id is another than before.
    pub async fn installed_flow_put(
        &mut self,
        instance: InstanceId,
        flow: &InstalledFlow,
    ) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let before = sqlx::query_scalar!(
            "select flow_id from installed_flows where tenant_id = $1 and instance_id = $2 and flow_key = $3",
            tenant_id,
            instance.0,
            flow.key,
        )
        .fetch_optional(self.connection())
        .await?;
        sqlx::query!(
            "insert into installed_flows
                 (tenant_id, instance_id, flow_key, flow_id, name, content_sha256, service_sha256)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict on constraint installed_flows_pkey do update
             set flow_id = excluded.flow_id, name = excluded.name, content_sha256 = excluded.content_sha256,
                 service_sha256 = excluded.service_sha256",
            tenant_id,
            instance.0,
            flow.key,
            flow.flow_id,
            flow.name,
            flow.content_sha256,
            flow.service_sha256,
        )
        .execute(self.connection())
        .await?;
        Ok(before.as_deref() != Some(&flow.flow_id))
    }

    pub async fn installed_flow_delete(
        &mut self,
        instance: InstanceId,
        flow_id: &str,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "delete from installed_flows where tenant_id = $1 and instance_id = $2 and flow_id = $3",
            tenant_id,
            instance.0,
            flow_id,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
