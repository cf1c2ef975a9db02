//! From what should be and what is to the steps between them. Pure.
//!
//! Invariants: the plan of a reached state is empty; limiters know the instance before any queue is attached; a flow
//! is deleted only when no queue uses it any more; nothing of the customer's is touched except the queues asked for.

mod content;
mod fate;
mod flows;
mod install;
mod moving;
mod queues;
mod refused;
mod step;
mod uninstall;
mod unread;

use std::collections::BTreeSet;

use crate::domain::drift::{Difference, DriftKind};
use crate::domain::installation::QueueState;

use super::desired::{Desired, FlowKey, Remembered};
use super::observed::Observed;

use install::Planner;
use uninstall::uninstall;

pub use content::{actions_sha256, content_sha256};
pub(super) use queues::lost_told;
pub use step::{Over, Step};
pub use uninstall::plan_without_instance;
pub use unread::Unknown;

/// Where a queue stands before the steps are done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueOutcome {
    pub queue_id: String,
    pub name: String,
    pub key: Option<FlowKey>,
    pub state: QueueState,
    pub detail: String,
}

/// What keeps the desired state from being reached until somebody does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    NameTaken(String),
    UnknownQueues(Vec<String>),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub steps: Vec<Step>,
    pub queues: Vec<QueueOutcome>,
    pub obstacles: Vec<Obstacle>,
    /// What somebody else changed since the installation was reached.
    pub drift: Vec<Difference>,
    /// Names of our flows that cannot be made anew, because the customer's whisper behind them is gone.
    pub orphans: Vec<String>,
    /// Names of the flows that lost our tags.
    pub untagged: Vec<String>,
    /// What could not be read, and has to be for the desired state to be reached.
    pub unknown: Vec<Unknown>,
    /// Our flows that cannot be compared with what they are to be, because something could not be read.
    pub uncompared: BTreeSet<FlowKey>,
}

impl Plan {
    /// It takes something of ours out of the instance. What people pointed at that meanwhile, only another look tells.
    #[must_use]
    pub fn takes_away(&self) -> bool {
        let is_taken =
            |step: &Step| matches!(step, Step::RestoreQueue { .. } | Step::DeleteFlow { .. });
        self.steps.iter().any(is_taken)
    }

    #[must_use]
    pub fn deletes_flows(&self) -> bool {
        let is_deletion = |step: &Step| matches!(step, Step::DeleteFlow { .. });
        self.steps.iter().any(is_deletion)
    }

    /// A step of it makes, changes or deletes the flow of this key.
    #[must_use]
    pub fn changes_flow(&self, flow_key: &FlowKey) -> bool {
        self.steps.iter().any(|step| match step {
            Step::CreateFlow { key, .. }
            | Step::UpdateFlow { key, .. }
            | Step::DeleteFlow { key, .. } => key == flow_key,
            _ => false,
        })
    }

    /// Queues, by id, that are as was asked for, or were and are now told as drift; or else those that are to be out of our
    /// hands. Of others nothing new is known.
    #[must_use]
    pub fn queues_settled(&self, is_settled: bool) -> Vec<String> {
        let is_it = |queue: &&QueueOutcome| match queue.state {
            QueueState::Attached => is_settled,
            QueueState::LeftAlone if queue.key.is_some() => is_settled,
            QueueState::LeftAlone | QueueState::Refused | QueueState::Restored => !is_settled,
            QueueState::Pending => !is_settled && self.restores(&queue.queue_id),
        };
        let queues = self.queues.iter().filter(is_it);
        queues.map(|queue| queue.queue_id.clone()).collect()
    }

    fn restores(&self, id: &str) -> bool {
        let is_it =
            |step: &Step| matches!(step, Step::RestoreQueue { queue_id, .. } if queue_id == id);
        self.steps.iter().any(is_it)
    }

    /// A queue waits for a flow that this plan does not make.
    #[must_use]
    pub fn has_queue_without_flow(&self) -> bool {
        let is_attached = |id: &str| {
            let attaches =
                |step: &Step| matches!(step, Step::AttachQueue { queue_id, .. } if queue_id == id);
            self.steps.iter().any(attaches)
        };
        self.queues.iter().any(|queue| {
            let is_waiting = queue.state == QueueState::Pending && queue.key.is_some();
            is_waiting && !is_attached(&queue.queue_id)
        })
    }

    #[must_use]
    pub fn deletes(&self, flow_id: &str) -> bool {
        let is_it =
            |step: &Step| matches!(step, Step::DeleteFlow { flow_id: id, .. } if id == flow_id);
        self.steps.iter().any(is_it)
    }

    /// Drift that this plan need not tell anew: whatever was told of queues lasts while they wait for ours, or cannot be read,
    /// and so it is with flows that cannot be compared.
    #[must_use]
    pub fn drift_that_lasts(&self) -> Vec<(DriftKind, String)> {
        let waiting = self
            .queues
            .iter()
            .filter(|queue| queue.state == QueueState::Pending && queue.key.is_some())
            .map(|queue| queue.queue_id.clone());
        let unread = self.unread_queues().map(str::to_owned);
        let of_queues = waiting
            .chain(unread)
            .flat_map(|queue_id| of_queue(&queue_id));
        let of_flows = self.uncompared.iter().flat_map(|key| {
            [DriftKind::FlowEdited, DriftKind::FlowDeleted].map(|kind| (kind, key.as_text()))
        });
        of_queues.chain(of_flows).collect()
    }

    /// What is as it should be once every step is done. A queue that still waits for its flow is not.
    #[must_use]
    pub fn drift_mended(&self) -> Vec<(DriftKind, String)> {
        let others = self
            .drift
            .iter()
            .filter(|difference| difference.mended && !difference.kind.is_of_queue())
            .map(Difference::key);
        let of_queues = self
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::AttachQueue { queue_id, .. } => Some(of_queue(queue_id)),
                _ => None,
            })
            .flatten();
        others.chain(of_queues).collect()
    }
}

fn of_queue(queue_id: &str) -> [(DriftKind, String); 2] {
    DriftKind::OF_QUEUES.map(|kind| (kind, queue_id.to_owned()))
}

#[must_use]
pub fn plan(desired: &Desired, remembered: &Remembered, observed: &Observed) -> Plan {
    let plan = match &desired.request {
        Some(request) => Planner::new(desired, request, remembered, observed).install(),
        None => uninstall(desired, remembered, observed),
    };
    let untagged = observed.untagged.iter().map(|flow| flow.name.clone());
    Plan {
        untagged: untagged.collect(),
        ..plan
    }
}
