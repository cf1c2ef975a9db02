//! Steps for the customer's queues: the ones asked for are attached, the others get back what they had.

use std::collections::BTreeSet;

use crate::aws::Queue;
use crate::domain::drift::DriftKind;
use crate::domain::installation::{QueueSelection, QueueState};

use super::super::desired::{FlowKey, Remembered, RememberedQueue};
use super::super::observed::{Observed, former_whisper};
use super::super::unread::told;
use super::fate::Fate;
use super::install::Planner;
use super::{Obstacle, QueueOutcome, Step};

impl Planner<'_> {
    pub(super) fn covered_queue(&mut self, queue: &Queue, fate: Fate) {
        let now = queue.outbound.flow_id.as_deref();
        let is_ours = self.runs_ours(queue);
        let is_gone = now.is_some_and(|id| self.observed.gone.contains(id));
        let attached_before = self.is_attached(queue);
        let is_fresh = self.is_fresh_queue(&queue.id);
        if let Some((kind, mended)) = self.queue_drift(queue, &fate).filter(|_| !is_fresh) {
            self.drift(kind, &queue.id, &queue.name, mended);
        }
        let kept = self.key_kept(queue, &fate);
        let (key, state, detail) = match fate {
            Fate::Refuse(why) if kept.is_some() => {
                let detail = format!("points at another whisper since: {why}{}", self.way_back());
                (kept, QueueState::LeftAlone, detail)
            }
            Fate::Refuse(detail) => {
                if is_ours {
                    self.restore(queue);
                }
                (None, QueueState::Refused, detail)
            }
            Fate::Attach(key) if self.points_at(now, &key) => {
                (Some(key), QueueState::Attached, String::new())
            }
            Fate::Attach(key) if self.is_new(queue) && self.tells_drift_only(is_fresh) => {
                let detail = "was made since; drift is reported, not mended".to_owned();
                (Some(key), QueueState::LeftAlone, detail)
            }
            Fate::Attach(key)
                if attached_before && (!is_ours || is_gone) && self.tells_drift_only(is_fresh) =>
            {
                let what = if is_gone {
                    "points at a whisper that was deleted"
                } else {
                    "points at another whisper since"
                };
                let detail = format!("{what}; drift is reported, not mended");
                (Some(key), QueueState::LeftAlone, detail)
            }
            // The copy may be older than what was refused.
            Fate::Attach(key) if kept.is_some() || self.was_refused_unread(queue, &key) => {
                let why = self.unread_original(&key).map(|(_, err)| told(err));
                let detail = format!("its whisper {}", why.unwrap_or_default());
                let state = match kept {
                    Some(_) => QueueState::LeftAlone,
                    None => QueueState::Refused,
                };
                (kept, state, detail)
            }
            Fate::Attach(key) if self.available.contains(&key) => {
                self.plan.steps.push(Step::AttachQueue {
                    queue_id: queue.id.clone(),
                    name: queue.name.clone(),
                    key: key.clone(),
                    from_flow_id: queue.outbound.flow_id.clone(),
                    previous_flow_id: former_whisper(queue, self.remembered, self.observed),
                });
                (Some(key), QueueState::Pending, String::new())
            }
            Fate::Attach(key) => {
                let unread = self.unread_original(&key);
                let detail = match unread {
                    Some((_, err)) => format!("its whisper {}", told(err)),
                    None => "waits for its whisper flow".to_owned(),
                };
                if is_gone && unread.is_some() {
                    // Rather its own whisper unlimited than none at all.
                    self.restore(queue);
                }
                (Some(key), QueueState::Pending, detail)
            }
        };
        self.outcome(queue, key, state, detail);
    }

    /// A queue whose whisper was deleted is told as that flow.
    pub(super) fn queue_drift(&self, queue: &Queue, fate: &Fate) -> Option<(DriftKind, bool)> {
        let is_attachable = matches!(fate, Fate::Attach(_));
        let is_mended = is_attachable && !self.tells_drift_only(self.is_fresh_queue(&queue.id));
        if self.runs_ours(queue) {
            None
        } else if self.is_attached(queue) {
            // Where it is to have its own whisper anyway, a change of ours may have put it back and lost the answer; and one
            // that was never seen attached was changed by nobody.
            let is_ours_to_tell = is_attachable || self.given_back(queue).is_none();
            let was_settled = self.remembered.was_settled(&queue.id);
            (is_ours_to_tell && was_settled).then_some((DriftKind::QueueRepointed, is_mended))
        } else if self.is_new(queue) && is_attachable {
            Some((DriftKind::QueueNotCovered, is_mended))
        } else {
            None
        }
    }

    pub(super) fn runs_ours(&self, queue: &Queue) -> bool {
        let now = queue.outbound.flow_id.as_deref();
        now.is_some_and(|id| self.observed.is_ours(id))
    }

    /// See [`given_back`].
    fn given_back(&self, queue: &Queue) -> Option<String> {
        let before = self.remembered.queues.get(&queue.id)?;
        given_back(queue, before, self.observed)
    }

    /// It runs ours, as far as we know. One that we refused and put back does not, even where the answer to that was lost.
    fn is_attached(&self, queue: &Queue) -> bool {
        let known = self.remembered.queues.get(&queue.id);
        let was_refused = known.is_some_and(|known| known.state == QueueState::Refused);
        let is_put_back = was_refused && self.given_back(queue).is_some();
        self.remembered.is_attached(&queue.id) && !is_put_back
    }

    /// Somebody changed this queue, or made it, and the tenant wants that told and not mended.
    pub(super) fn is_told_only(&self, queue: &Queue) -> bool {
        let is_changed = self.is_attached(queue) || self.is_new(queue);
        let is_told_only = self.tells_drift_only(self.is_fresh_queue(&queue.id));
        is_told_only && is_changed && !self.runs_ours(queue)
    }

    /// It was made after the installation was reached, and was never ours.
    fn is_new(&self, queue: &Queue) -> bool {
        let known = self.remembered.queues.get(&queue.id);
        known.is_none_or(|known| !known.attached && known.state == QueueState::LeftAlone)
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
            if self.runs_ours(queue) {
                self.restore(queue);
                self.outcome(queue, None, QueueState::Pending, String::new());
            } else if self.remembered.is_attached(&queue.id) {
                // Put back by a change of ours that lost its answer, or by somebody.
                let (state, detail) = match self.given_back(queue) {
                    Some(told) => (QueueState::Restored, told),
                    None => (
                        QueueState::LeftAlone,
                        "points at another whisper since".to_owned(),
                    ),
                };
                self.outcome(queue, None, state, detail);
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
            .filter(|id| {
                !known.contains(id.as_str()) && !self.observed.unread.queues.contains_key(*id)
            })
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
    let former = former_whisper(queue, remembered, observed);
    let is_there = |id: &String| observed.whisper_names.contains_key(id) && !observed.is_ours(id);
    let is_lost = |id: &String| !observed.whisper_names.contains_key(id);
    let lost_flow_id = former.clone().filter(is_lost);
    let default = observed.default_outbound.as_ref();
    let to_flow_id = former
        .filter(is_there)
        .or_else(|| default.map(|flow| flow.id.clone()));
    Step::RestoreQueue {
        queue_id: queue.id.clone(),
        name: queue.name.clone(),
        from_flow_id: queue.outbound.flow_id.clone(),
        to_flow_id,
        lost_flow_id,
    }
}

/// Told of a queue whose own whisper cannot be put back.
pub(in super::super) fn lost_told(lost_flow_id: &str) -> String {
    format!(
        "its former whisper ({lost_flow_id}) is gone or not published; Connect's \"Default outbound\" runs instead"
    )
}

/// What is told of a queue that shows what it had before ours, or what [`restore_step`] gives it in the place of that. A
/// queue without a whisper of its own may show Connect's default.
pub(super) fn given_back(
    queue: &Queue,
    before: &RememberedQueue,
    observed: &Observed,
) -> Option<String> {
    let now = queue.outbound.flow_id.as_ref();
    let shows_default = now == observed.default_outbound.as_ref().map(|flow| &flow.id);
    match before.previous_flow_id.as_ref() {
        previous if previous == now => Some(String::new()),
        None if shows_default => Some(String::new()),
        Some(lost)
            if shows_default
                && (!observed.whisper_names.contains_key(lost)
                    || observed.unread.formers.contains(lost)) =>
        {
            Some(lost_told(lost))
        }
        _ => None,
    }
}
