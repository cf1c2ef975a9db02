//! Queues with a whisper that is refused: which of them were limited before, and are to be again.

use crate::aws::Queue;
use crate::domain::installation::{ExistingWhisper, QueueState};

use super::super::desired::FlowKey;
use super::fate::Fate;
use super::install::Planner;

impl Planner<'_> {
    /// Its whisper could not be merged when it was last read, and cannot be read now.
    pub(super) fn was_refused_unread(&self, queue: &Queue, key: &FlowKey) -> bool {
        let known = self.remembered.queues.get(&queue.id);
        let was_refused = known.is_some_and(|known| {
            known.state == QueueState::Refused && known.previous_flow_id == queue.outbound.flow_id
        });
        was_refused && !self.runs_ours(queue) && self.unread_original(key).is_some()
    }

    /// The flow of ours that a queue is to have again, once somebody puts right what they did: they gave it a whisper that is
    /// refused. As long as that cannot be read, nobody knows better.
    pub(super) fn key_kept(&self, queue: &Queue, fate: &Fate) -> Option<FlowKey> {
        let known = self.remembered.queues.get(&queue.id)?;
        let is_kept = match fate {
            // One that we refused ourselves was to run nothing of ours.
            Fate::Refuse(_) => {
                known.state != QueueState::Refused && self.queue_drift(queue, fate).is_some()
            }
            Fate::Attach(key) => {
                let was_kept = known.attached && known.state == QueueState::LeftAlone;
                was_kept && !self.runs_ours(queue) && self.unread_original(key).is_some()
            }
        };
        let is_fresh = self.is_fresh_queue(&queue.id);
        (is_kept && !is_fresh)
            .then(|| self.key_before(&queue.id))
            .flatten()
    }

    /// What helps a queue with a whisper that is refused, beside what that is refused for.
    pub(super) fn way_back(&self) -> &'static str {
        match self.request.existing_whisper {
            ExistingWhisper::Refuse => ", or point the queue back at Ringfence's",
            ExistingWhisper::Merge | ExistingWhisper::Replace => {
                "; point the queue back at Ringfence's, or choose existing_whisper replace"
            }
        }
    }

    /// The flow of ours that the queue ran before somebody changed it.
    pub(super) fn key_before(&self, queue_id: &str) -> Option<FlowKey> {
        let known = self.remembered.queues.get(queue_id)?;
        let own = known
            .previous_flow_id
            .as_ref()
            .filter(|id| !self.is_default(id));
        Some(match own {
            Some(id) if self.request.existing_whisper == ExistingWhisper::Merge => {
                FlowKey::WhisperBefore(id.clone())
            }
            _ => FlowKey::Whisper,
        })
    }
}
