//! Steps at a customer's queue, of which the service keeps no lock: each change follows a fresh reading at once.

use crate::aws::{AwsErrorKind, ConnectInstance, FunctionPermissions, Outbound, Queue};
use crate::domain::installation::QueueState;

use super::super::desired::FlowKey;
use super::super::plan::lost_told;
use super::{Executor, Publish, StepError, TRIES_MAX, is_passing};

impl<C, F, G, P> Executor<'_, C, F, G, P>
where
    C: ConnectInstance,
    F: FunctionPermissions,
    G: FunctionPermissions,
    P: Publish,
{
    /// Reads, decides and changes anew when the change failed in passing: what was read before it may be stale by then.
    /// The turns that each try waits for are pause enough.
    pub(super) async fn attach(
        &mut self,
        queue_id: &str,
        key: &FlowKey,
        planned_previous: Option<&str>,
    ) -> Result<(), StepError> {
        let Some(whisper) = self.flow_ids.get(key).cloned() else {
            return Err(StepError::Changed(
                "its whisper flow is not there yet".to_owned(),
            ));
        };
        for _ in 1..TRIES_MAX {
            match self.attach_once(queue_id, &whisper, planned_previous).await {
                Err(err) if is_passing(&err) => {}
                outcome => return outcome,
            }
        }
        self.attach_once(queue_id, &whisper, planned_previous).await
    }

    async fn attach_once(
        &mut self,
        queue_id: &str,
        whisper: &str,
        planned_previous: Option<&str>,
    ) -> Result<(), StepError> {
        let queue = match self.connect.queue_in_hand(queue_id).await {
            Err(err) if err.kind == AwsErrorKind::NotFound => {
                return Err(StepError::Changed("the queue is gone".to_owned()));
            }
            answer => answer?,
        };
        self.note_shown(queue.outbound.flow_id.as_deref());
        let now = queue.outbound.flow_id.as_deref();
        let is_ours = now.is_some_and(|id| self.ours.iter().any(|ours| ours == id));
        if !is_ours && now != planned_previous {
            return Err(StepError::Changed(format!(
                "the whisper of \"{}\" was just changed",
                queue.name
            )));
        }
        self.journal
            .queue_attaching(queue_id, &queue.name, planned_previous, whisper)
            .await?;
        self.point(&queue, Some(whisper)).await?;
        self.journal
            .queue_settled(queue_id, QueueState::Attached, "")
            .await
    }

    /// As [`Self::attach`].
    pub(super) async fn restore(
        &mut self,
        queue_id: &str,
        to_flow_id: Option<&str>,
        lost_flow_id: Option<&str>,
    ) -> Result<(), StepError> {
        let told = lost_flow_id.map_or_else(String::new, lost_told);
        for _ in 1..TRIES_MAX {
            match self.restore_once(queue_id, to_flow_id, &told).await {
                Err(err) if is_passing(&err) => {}
                outcome => return outcome,
            }
        }
        self.restore_once(queue_id, to_flow_id, &told).await
    }

    async fn restore_once(
        &mut self,
        queue_id: &str,
        to_flow_id: Option<&str>,
        told: &str,
    ) -> Result<(), StepError> {
        let queue = match self.connect.queue_in_hand(queue_id).await {
            Ok(queue) => queue,
            Err(err) if err.kind == AwsErrorKind::NotFound => {
                let detail = "the queue is gone";
                return self
                    .journal
                    .queue_settled(queue_id, QueueState::LeftAlone, detail)
                    .await;
            }
            Err(err) => return Err(err.into()),
        };
        self.note_shown(queue.outbound.flow_id.as_deref());
        let is_ours = queue
            .outbound
            .flow_id
            .as_ref()
            .is_some_and(|id| self.ours.contains(id));
        if !is_ours {
            // An earlier try may have put it back and lost the answer.
            let (state, detail) = if queue.outbound.flow_id.as_deref() == to_flow_id {
                (QueueState::Restored, told)
            } else {
                (QueueState::LeftAlone, "points at another whisper since")
            };
            return self.journal.queue_settled(queue_id, state, detail).await;
        }
        self.journal.hold_on().await?;
        self.point(&queue, to_flow_id).await?;
        self.journal
            .queue_settled(queue_id, QueueState::Restored, told)
            .await
    }

    /// Changes the whisper of a queue just read and nothing else of it. The service keeps no lock on a queue and may
    /// clear what was left out: look again.
    async fn point(&mut self, queue: &Queue, flow_id: Option<&str>) -> Result<(), StepError> {
        if queue.outbound.flow_id.as_deref() == flow_id {
            return Ok(());
        }
        let outbound = Outbound {
            flow_id: flow_id.map(str::to_owned),
            ..queue.outbound.clone()
        };
        let set = self.connect.queue_set_outbound(&queue.id, &outbound).await;
        self.note(set)?;
        let after = self.connect.queue(&queue.id).await?;
        if after.outbound == outbound {
            Ok(())
        } else {
            Err(StepError::Changed(format!(
                "\"{}\" does not show what was just set",
                queue.name
            )))
        }
    }
}
