//! Steps for the customer's queues: the ones asked for are attached, the others get back what they had.

use std::collections::BTreeSet;

use crate::aws::Queue;
use crate::domain::installation::{QueueSelection, QueueState};

use super::super::desired::{FlowKey, Remembered};
use super::super::observed::{Observed, former_whisper};
use super::fate::Fate;
use super::install::Planner;
use super::{Obstacle, QueueOutcome, Step};

impl Planner<'_> {
    pub(super) fn covered_queue(&mut self, queue: &Queue, fate: Fate) {
        let now = queue.outbound.flow_id.as_deref();
        let is_ours = now.is_some_and(|id| self.observed.is_ours(id));
        let is_gone = now.is_some_and(|id| self.observed.gone.contains(id));
        let attached_before = self.remembered.is_attached(&queue.id);
        let (key, state, detail) = match fate {
            Fate::Refuse(detail) => {
                if is_ours {
                    self.restore(queue);
                }
                (None, QueueState::Refused, detail)
            }
            Fate::Attach(key) if self.points_at(now, &key) => {
                (Some(key), QueueState::Attached, String::new())
            }
            Fate::Attach(key)
                if attached_before && (!is_ours || is_gone) && self.tells_drift_only() =>
            {
                let what = if is_gone {
                    "points at a whisper that was deleted"
                } else {
                    "points at another whisper since"
                };
                let detail = format!("{what}; drift is reported, not mended");
                self.plan
                    .drifted
                    .push(format!("the queue \"{}\" {detail}", queue.name));
                (Some(key), QueueState::LeftAlone, detail)
            }
            Fate::Attach(key) if self.available.contains(&key) => {
                self.plan.steps.push(Step::AttachQueue {
                    queue_id: queue.id.clone(),
                    name: queue.name.clone(),
                    key: key.clone(),
                    previous_flow_id: former_whisper(queue, self.remembered, self.observed),
                });
                (Some(key), QueueState::Pending, String::new())
            }
            Fate::Attach(key) => (
                Some(key),
                QueueState::Pending,
                "waits for its whisper flow".to_owned(),
            ),
        };
        self.outcome(queue, key, state, detail);
    }

    fn points_at(&self, flow_id: Option<&str>, key: &FlowKey) -> bool {
        flow_id.is_some() && self.observed.flows.get(key).map(|flow| flow.id.as_str()) == flow_id
    }

    fn outcome(&mut self, queue: &Queue, key: Option<FlowKey>, state: QueueState, detail: String) {
        self.plan.queues.push(QueueOutcome {
            queue_id: queue.id.clone(),
            name: queue.name.clone(),
            key,
            state,
            detail,
        });
    }

    fn restore(&mut self, queue: &Queue) {
        self.plan
            .steps
            .push(restore_step(queue, self.remembered, self.observed));
    }

    pub(super) fn uncovered_queues(&mut self) {
        for queue in &self.observed.queues {
            if self.request.queues.covers(&queue.id) {
                continue;
            }
            let is_ours = queue
                .outbound
                .flow_id
                .as_deref()
                .is_some_and(|id| self.observed.is_ours(id));
            if is_ours {
                self.restore(queue);
                self.outcome(queue, None, QueueState::Pending, String::new());
            }
        }
    }

    pub(super) fn unknown_queues(&mut self) {
        let QueueSelection::Only(ids) = &self.request.queues else {
            return;
        };
        let known: BTreeSet<&str> = self
            .observed
            .queues
            .iter()
            .map(|queue| queue.id.as_str())
            .collect();
        let unknown: Vec<String> = ids
            .iter()
            .filter(|id| !known.contains(id.as_str()))
            .cloned()
            .collect();
        if unknown.is_empty() {
            return;
        }
        for id in &unknown {
            let name = self
                .remembered
                .queues
                .get(id)
                .map_or_else(|| id.clone(), |queue| queue.name.clone());
            self.plan.queues.push(QueueOutcome {
                queue_id: id.clone(),
                name,
                key: None,
                state: QueueState::Refused,
                detail: "the instance has no such queue".to_owned(),
            });
        }
        self.plan.obstacles.push(Obstacle::UnknownQueues(unknown));
    }
}

/// Back to what the queue had, as long as that is still there; otherwise to what Connect runs without a whisper.
pub(super) fn restore_step(queue: &Queue, remembered: &Remembered, observed: &Observed) -> Step {
    let to_flow_id = former_whisper(queue, remembered, observed)
        .filter(|id| observed.whisper_names.contains_key(id) && !observed.is_ours(id))
        .or_else(|| {
            observed
                .default_outbound
                .as_ref()
                .map(|flow| flow.id.clone())
        });
    Step::RestoreQueue {
        queue_id: queue.id.clone(),
        name: queue.name.clone(),
        to_flow_id,
    }
}
