//! The queues of an installation, and what each ran before.

use super::{StoreError, TenantTx};
use crate::domain::ids::InstanceId;
use crate::domain::installation::QueueState;

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

struct QueueRow {
    queue_id: String,
    name: String,
    previous_flow_id: Option<String>,
    whisper_flow_id: Option<String>,
    state: String,
    detail: String,
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
}
