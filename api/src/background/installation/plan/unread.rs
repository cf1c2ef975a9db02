//! What becomes of queues and whispers that could not be read: they stay as they are, and so does all that they may need.

use std::collections::BTreeSet;

use crate::aws::AwsError;
use crate::domain::drift::Difference;
use crate::domain::installation::QueueState;

use super::super::desired::{FlowKey, Remembered};
use super::super::observed::Observed;
use super::super::unread::told;
use super::install::Planner;
use super::{Plan, QueueOutcome};

/// Something of the customer's that the desired state depends on, and that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unknown {
    Queue {
        queue_id: String,
        name: String,
        /// It ran a flow of ours when it could be read.
        attached: bool,
        err: AwsError,
    },
    /// The copy of it stays as it is, or is not there yet.
    Original { name: String, err: AwsError },
}

impl Unknown {
    #[must_use]
    pub fn err(&self) -> &AwsError {
        match self {
            Self::Queue { err, .. } | Self::Original { err, .. } => err,
        }
    }

    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Queue { name, err, .. } => format!("the queue \"{name}\" {}", told(err)),
            Self::Original { name, err } => format!("the whisper \"{name}\" {}", told(err)),
        }
    }
}

impl Plan {
    #[must_use]
    pub fn is_uncompared(&self, difference: &Difference) -> bool {
        let mut keys = self.uncompared.iter();
        !difference.kind.is_of_queue() && keys.any(|key| key.as_text() == difference.target)
    }

    pub(super) fn unread_queues(&self) -> impl Iterator<Item = &str> {
        self.unknown.iter().filter_map(|unknown| match unknown {
            Unknown::Queue { queue_id, .. } => Some(queue_id.as_str()),
            Unknown::Original { .. } => None,
        })
    }

    /// Id and detail of each queue in our hands that could not be read, or whose whisper could not.
    pub fn unread_told(&self) -> impl Iterator<Item = (String, String)> {
        let queues = self.unknown.iter().filter_map(|unknown| match unknown {
            Unknown::Queue {
                queue_id,
                attached: true,
                err,
                ..
            } => Some((queue_id.clone(), told(err))),
            Unknown::Queue { .. } | Unknown::Original { .. } => None,
        });
        let is_waiting = |queue: &&QueueOutcome| {
            let is_uncompared = |key: &FlowKey| self.uncompared.contains(key);
            queue.state == QueueState::Pending && queue.key.as_ref().is_some_and(is_uncompared)
        };
        let waiting = self.queues.iter().filter(is_waiting);
        queues.chain(waiting.map(|queue| (queue.queue_id.clone(), queue.detail.clone())))
    }
}

pub(super) fn unread_queues(remembered: &Remembered, observed: &Observed) -> Vec<Unknown> {
    let queues = observed.unread.queues.iter();
    let unknown = queues.map(|(queue_id, queue)| Unknown::Queue {
        queue_id: queue_id.clone(),
        name: queue.name.clone(),
        attached: remembered.is_attached(queue_id),
        err: queue.err.clone(),
    });
    unknown.collect()
}

impl Planner<'_> {
    /// Those that are to run ours, or did.
    pub(super) fn covered_unread_queues(&mut self) {
        let is_meant = |unknown: &Unknown| match unknown {
            Unknown::Queue {
                queue_id, attached, ..
            } => *attached || self.request.queues.covers(queue_id),
            Unknown::Original { .. } => false,
        };
        let unread = unread_queues(self.remembered, self.observed).into_iter();
        let meant: Vec<Unknown> = unread.filter(is_meant).collect();
        self.plan.unknown.extend(meant);
    }

    /// Queues that ran a flow of ours when they could be read.
    pub(super) fn unread_attached(&self) -> impl Iterator<Item = &String> {
        let unread = self.observed.unread.queues.keys();
        unread.filter(|id| self.remembered.is_attached(id))
    }

    /// Flows of ours that only such queues run, as far as is known: beside what is needed by others.
    pub(super) fn flows_of_unread_queues(&mut self, needed: &BTreeSet<FlowKey>) {
        let keys: BTreeSet<FlowKey> = self
            .unread_attached()
            .filter_map(|id| self.key_before(id))
            .filter(|key| !needed.contains(key))
            .collect();
        for key in keys {
            self.uncompared_flow(&key);
        }
    }

    /// The whisper behind our flow of this key, if it could not be read.
    pub(super) fn unread_original(&self, key: &FlowKey) -> Option<(&str, &AwsError)> {
        let id = match key {
            FlowKey::Notice => return None,
            FlowKey::Whisper => &self.observed.default_outbound.as_ref()?.id,
            FlowKey::WhisperBefore(id) => id,
        };
        let (id, err) = self.observed.unread.originals.get_key_value(id)?;
        Some((id.as_str(), err))
    }

    pub(super) fn tell_unread_original(&mut self, key: &FlowKey) {
        if let Some((id, err)) = self.unread_original(key) {
            let (name, err) = (self.flow_name(id), err.clone());
            self.plan.unknown.push(Unknown::Original { name, err });
        }
    }
}
