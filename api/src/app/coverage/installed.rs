//! What of ours an instance is known to run.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::InstanceId;
use crate::domain::installation::{InstallationRequest, QueueState};
use crate::store::{InstallationQueue, StoreError, TenantTx};

/// What Ringfence knows of the installation, as of its last look.
#[derive(Debug, Clone, Default)]
pub struct Installed {
    pub request: Option<InstallationRequest>,
    pub queues: BTreeMap<String, InstallationQueue>,
    /// Our flows, by id, that somebody changed and that were not put right.
    pub changed_flows: BTreeSet<String>,
}

impl Installed {
    pub async fn load(tx: &mut TenantTx, instance: InstanceId) -> Result<Self, StoreError> {
        let installation = tx.installation_get(instance).await?;
        let queues = tx.installation_queue_list(instance).await?;
        let flows = tx.installed_flow_list(instance).await?;
        let drift = tx.drift_list(instance).await?;
        let is_changed = |key: &str| drift.iter().any(|drift| drift.is_open_of_flow(key));
        let changed = flows.into_iter().filter(|flow| is_changed(&flow.key));
        Ok(Self {
            request: installation.and_then(|installation| installation.request),
            queues: queues
                .into_iter()
                .map(|queue| (queue.queue_id.clone(), queue))
                .collect(),
            changed_flows: changed.map(|flow| flow.flow_id).collect(),
        })
    }

    /// The queue runs our whisper, which does what we published.
    #[must_use]
    pub fn covers(&self, queue_id: &str) -> bool {
        let known = self.queues.get(queue_id);
        let is_attached = known.is_some_and(|queue| queue.state == QueueState::Attached);
        is_attached && !self.runs_changed(queue_id)
    }

    /// The queue runs a flow of ours that somebody changed.
    pub(super) fn runs_changed(&self, queue_id: &str) -> bool {
        let known = self.queues.get(queue_id);
        let runs = known.and_then(|queue| queue.whisper_flow_id.as_ref());
        runs.is_some_and(|flow_id| self.changed_flows.contains(flow_id))
    }
}
