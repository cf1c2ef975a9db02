//! Steps at flows of ours, of which the service keeps no lock: each change follows a fresh reading at once. What we publish is
//! written down before it is sent where its answer may be lost; what somebody publishes right after it is theirs then, and is
//! found by the next look.

use crate::aws::{AwsErrorKind, ConnectInstance, FunctionPermissions, NewFlow};

use super::super::desired::FlowKey;
use super::super::journal::Published;
use super::super::plan::{Over, actions_sha256, content_sha256};
use super::{Effect, Executor, Publish, StepError, TRIES_MAX, is_passing};

/// Other content for a flow.
pub(super) struct FlowUpdate<'a> {
    pub(super) key: &'a FlowKey,
    pub(super) flow_id: &'a str,
    /// Digest of what it had when it was looked at.
    pub(super) from_sha256: &'a str,
    pub(super) content: &'a str,
    pub(super) over: Over,
}

/// A flow that is to go.
pub(super) struct FlowDeletion<'a> {
    pub(super) key: &'a FlowKey,
    pub(super) flow_id: &'a str,
    /// Digest of what it had when it was looked at.
    pub(super) content_sha256: &'a str,
}

impl<C, F, G, P> Executor<'_, C, F, G, P>
where
    C: ConnectInstance,
    F: FunctionPermissions,
    G: FunctionPermissions,
    P: Publish,
{
    pub(super) async fn create_flow(
        &mut self,
        key: &FlowKey,
        flow: &NewFlow,
    ) -> Result<(), StepError> {
        let created = self.connect.flow_create(flow).await;
        let created = match self.note(created) {
            Ok(created) => created,
            Err(err) if err.kind == AwsErrorKind::Duplicate => {
                return Err(StepError::Changed(format!(
                    "a flow \"{}\" appeared meanwhile",
                    flow.name
                )));
            }
            Err(err) => return Err(err.into()),
        };
        let published = Published {
            flow_id: &created.id,
            name: &flow.name,
            content: &flow.content,
            service_sha256: created.sha256,
        };
        self.journal.flow_remember(key, published).await?;
        self.flow_ids.insert(key.clone(), created.id.clone());
        self.ours.push(created.id);
        Ok(())
    }

    /// Minutes may lie between a look and its steps: what somebody made of the flow meanwhile is for the next look. Reads and
    /// changes anew when the change failed in passing.
    pub(super) async fn update_flow(&mut self, update: &FlowUpdate<'_>) -> Result<(), StepError> {
        for _ in 1..TRIES_MAX {
            match self.update_flow_once(update).await {
                Err(err) if is_passing(&err) => {}
                outcome => return outcome,
            }
        }
        self.update_flow_once(update).await
    }

    async fn update_flow_once(&mut self, update: &FlowUpdate<'_>) -> Result<(), StepError> {
        let FlowUpdate {
            key,
            flow_id,
            content,
            over,
            ..
        } = *update;
        let now = match self.connect.flow_in_hand(flow_id).await {
            Err(err) if err.kind == AwsErrorKind::NotFound => {
                return Err(StepError::Changed("a flow was just deleted".to_owned()));
            }
            answer => answer?,
        };
        if content_sha256(&now.content) == update.from_sha256 {
            if over == Over::KeptEdit {
                self.journal.hold_on().await?;
            } else {
                let ours_now = (over == Over::Ours).then_some(now.content.as_str());
                self.journal
                    .flow_sending(flow_id, content, ours_now)
                    .await?;
            }
            let updated = self.connect.flow_update(flow_id, content).await;
            self.note(updated)?;
        } else if !self.was_published(&now.content, content) {
            return Err(StepError::Changed(format!(
                "the flow \"{}\" was just changed",
                now.name
            )));
        }
        if !now.usable && !self.connect.flow(flow_id).await?.usable {
            return Err(StepError::Archived(now.name));
        }
        // An edit that stays is somebody else's as before.
        if over == Over::KeptEdit {
            return Ok(());
        }
        let published = Published {
            flow_id,
            name: &now.name,
            content,
            service_sha256: None,
        };
        self.journal.flow_remember(key, published).await
    }

    /// By an earlier try, whose answer was lost.
    fn was_published(&self, now: &str, content: &str) -> bool {
        self.effect != Effect::None && actions_sha256(now) == actions_sha256(content)
    }

    /// As [`Self::update_flow`].
    pub(super) async fn delete_flow(
        &mut self,
        deletion: &FlowDeletion<'_>,
    ) -> Result<(), StepError> {
        let FlowDeletion { key, flow_id, .. } = *deletion;
        self.journal.flow_removing(flow_id, key).await?;
        for _ in 1..TRIES_MAX {
            match self.delete_flow_once(deletion).await {
                Err(err) if is_passing(&err) => {}
                outcome => return outcome,
            }
        }
        self.delete_flow_once(deletion).await
    }

    /// What somebody made of a flow that was to go, the next look decides about.
    async fn delete_flow_once(&mut self, deletion: &FlowDeletion<'_>) -> Result<(), StepError> {
        let flow_id = deletion.flow_id;
        let now = match self.connect.flow_in_hand(flow_id).await {
            Err(err) if err.kind == AwsErrorKind::NotFound => {
                return self.journal.flow_forget(flow_id).await;
            }
            answer => answer?,
        };
        if content_sha256(&now.content) != deletion.content_sha256 {
            return Err(StepError::Changed(format!(
                "the flow \"{}\" was just changed",
                now.name
            )));
        }
        self.journal.hold_on().await?;
        let deleted = self.connect.flow_delete(flow_id).await;
        match self.note(deleted) {
            Err(err) if err.kind != AwsErrorKind::NotFound => return Err(err.into()),
            Ok(()) | Err(_) => {}
        }
        self.journal.flow_forget(flow_id).await
    }
}
