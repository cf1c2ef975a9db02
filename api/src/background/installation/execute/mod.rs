//! Carries out one step. Every step may be done twice, and may be cut off anywhere, without harm.
//!
//! What must not be forgotten is written down before the customer's side is changed (a queue's former whisper), or can
//! be found again by tag (a flow). Failure: the next pass looks at what is there; which steps may follow, see [`super::after_failure`].

mod flows;
mod queues;

use std::collections::BTreeMap;

use crate::aws::{AwsError, AwsErrorKind, ConnectInstance, FunctionPermissions, InvokePermission};
use crate::store::StoreError;

use super::changes::{Known, StepChange, step_change, unconfirmed};
use super::desired::FlowKey;
use super::journal::Journal;
use super::observed::Observed;
use super::plan::Step;

use flows::{FlowDeletion, FlowUpdate};

/// How often a flow or a queue is read and changed anew before the step is given up.
const TRIES_MAX: u32 = 4;

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// About the fallback function, which is the customer's.
    #[error("{0}")]
    Fallback(#[source] AwsError),
    /// Somebody else was there between looking and acting; the next look will tell.
    #[error("{0}")]
    Changed(String),
    #[error("the instance does not exist any more")]
    Gone,
    /// Publishing does not bring a flow back from there.
    #[error("the flow \"{0}\" is in the archive")]
    Archived(String),
    /// Between two steps.
    #[error("this process is stopping")]
    Stopped,
    /// In the middle of a step: a request of ours may still be on its way.
    #[error("this process was stopped in the middle of a step")]
    CutOff,
    #[error("another process took this installation over")]
    LeaseLost,
}

/// Writes the instance's snapshot to where limiters read it, now.
pub trait Publish: Send + Sync {
    fn publish(&self) -> impl Future<Output = Result<(), StepError>> + Send;
    fn unpublish(&self) -> impl Future<Output = Result<(), StepError>> + Send;
}

/// What the step in hand has done to the other side so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    None,
    /// A request was sent, and its answer lost.
    Unknown,
    Done,
}

/// All that a step may touch.
#[derive(Debug)]
pub struct Executor<'a, C, F, G, P> {
    connect: &'a C,
    permissions: &'a F,
    fallback: &'a G,
    publish: &'a P,
    journal: &'a Journal,
    permission: &'a InvokePermission,
    flow_ids: BTreeMap<FlowKey, String>,
    /// Every flow of ours, surplus, untagged and deleted ones too: a queue that names one of them has its former whisper remembered.
    ours: Vec<String>,
    effect: Effect,
    /// The whisper that the step's queue showed right before it was changed.
    shown: Option<Option<String>>,
}

impl<'a, C, F, G, P> Executor<'a, C, F, G, P>
where
    C: ConnectInstance,
    F: FunctionPermissions,
    G: FunctionPermissions,
    P: Publish,
{
    pub fn new(
        connect: &'a C,
        permissions: &'a F,
        fallback: &'a G,
        publish: &'a P,
        journal: &'a Journal,
        permission: &'a InvokePermission,
        observed: &Observed,
    ) -> Self {
        Self {
            connect,
            permissions,
            fallback,
            publish,
            journal,
            permission,
            flow_ids: observed
                .flows
                .iter()
                .map(|(key, flow)| (key.clone(), flow.id.clone()))
                .collect(),
            ours: observed
                .flows
                .values()
                .chain(&observed.surplus)
                .chain(&observed.untagged)
                .map(|flow| flow.id.clone())
                .chain(observed.gone.iter().cloned())
                .collect(),
            effect: Effect::None,
            shown: None,
        }
    }

    /// What the step is to change.
    pub fn change(&self, step: &Step) -> Option<StepChange> {
        self.change_from(step, None)
    }

    fn change_from(&self, step: &Step, shown: Option<Option<&str>>) -> Option<StepChange> {
        let flow_id = match step {
            Step::CreateFlow { key, .. } | Step::AttachQueue { key, .. } => self.flow_ids.get(key),
            _ => None,
        };
        let known = Known {
            flow_id: flow_id.map(String::as_str),
            shown,
            function_arn: &self.permission.function_arn,
            statement_id: &self.permission.statement_id,
        };
        step_change(step, known)
    }

    /// What the step just carried out has changed, or may have.
    pub fn changed(&self, step: &Step, is_done: bool) -> Option<StepChange> {
        let shown = self.shown.as_ref().map(Option::as_deref);
        let change = self.change_from(step, shown)?;
        match self.effect {
            Effect::None => None,
            // What was to be is there now, by whichever try.
            Effect::Unknown if is_done => Some(change),
            Effect::Unknown => Some(StepChange {
                after: unconfirmed(change.after),
                ..change
            }),
            Effect::Done => Some(change),
        }
    }

    /// What a queue shows right before its change, which an earlier try may have made.
    fn note_shown(&mut self, whisper: Option<&str>) {
        if self.effect == Effect::None {
            self.shown = Some(whisper.map(str::to_owned));
        }
    }

    /// Takes the answer to a request that changes something.
    fn note<T>(&mut self, answer: Result<T, AwsError>) -> Result<T, AwsError> {
        match &answer {
            Ok(_) => self.effect = Effect::Done,
            // What was throttled had none.
            Err(err) if err.kind == AwsErrorKind::Transient && self.effect == Effect::None => {
                self.effect = Effect::Unknown;
            }
            Err(_) => {}
        }
        answer
    }

    pub async fn execute(&mut self, step: &Step) -> Result<(), StepError> {
        self.effect = Effect::None;
        self.shown = None;
        match step {
            Step::GrantPermission => {
                let granted = self.permissions.grant(self.permission).await;
                Ok(self.note(granted)?)
            }
            Step::RevokePermission => {
                let InvokePermission {
                    function_arn,
                    statement_id,
                    ..
                } = self.permission;
                let revoked = self.permissions.revoke(function_arn, statement_id).await;
                Ok(self.note(revoked)?)
            }
            Step::AwaitCalls => self.journal.function_repointed().await,
            Step::LeaveFunction { function_arn } => {
                let statement_id = &self.permission.statement_id;
                let revoked = self.permissions.revoke(function_arn, statement_id).await;
                self.note(revoked)?;
                self.journal.function_left().await
            }
            Step::GrantFallback { function_arn } => self.grant_fallback(function_arn).await,
            Step::RevokeFallback { function_arn } => self.revoke_fallback(function_arn).await,
            Step::Publish => self.publish.publish().await,
            Step::Unpublish => self.publish.unpublish().await,
            Step::CreateFlow { key, flow } => self.create_flow(key, flow).await,
            Step::UpdateFlow {
                key,
                flow_id,
                from_sha256,
                content,
                over,
                ..
            } => {
                let update = FlowUpdate {
                    key,
                    flow_id,
                    from_sha256,
                    content,
                    over: *over,
                };
                self.update_flow(&update).await
            }
            Step::DeleteFlow {
                key,
                flow_id,
                content_sha256,
                ..
            } => {
                let deletion = FlowDeletion {
                    key,
                    flow_id,
                    content_sha256,
                };
                self.delete_flow(&deletion).await
            }
            Step::AttachQueue {
                queue_id,
                key,
                previous_flow_id,
                ..
            } => {
                self.attach(queue_id, key, previous_flow_id.as_deref())
                    .await
            }
            Step::RestoreQueue {
                queue_id,
                to_flow_id,
                lost_flow_id,
                ..
            } => {
                let (to, lost) = (to_flow_id.as_deref(), lost_flow_id.as_deref());
                self.restore(queue_id, to, lost).await
            }
        }
    }

    async fn grant_fallback(&mut self, function_arn: &str) -> Result<(), StepError> {
        let permission = self.permission.to_invoke(function_arn);
        self.journal.fallback_remember(Some(function_arn)).await?;
        // Asked first: a role that may not look is told now, and not at every pass anew.
        let granted = self.fallback.is_granted(&permission).await;
        if !granted.map_err(StepError::Fallback)? {
            let granted = self.fallback.grant(&permission).await;
            self.note(granted).map_err(StepError::Fallback)?;
        }
        self.journal.fallback_settled().await
    }

    async fn revoke_fallback(&mut self, function_arn: &str) -> Result<(), StepError> {
        let permission = self.permission.to_invoke(function_arn);
        // It may be gone: by an earlier try, or with the function.
        let granted = self.fallback.is_granted(&permission).await;
        if granted.map_err(StepError::Fallback)? {
            let statement_id = &permission.statement_id;
            let revoked = self.fallback.revoke(function_arn, statement_id).await;
            self.note(revoked).map_err(StepError::Fallback)?;
        }
        self.journal.fallback_remember(None).await
    }
}

/// Worth another try, which looks again at what is there.
fn is_passing(err: &StepError) -> bool {
    matches!(err, StepError::Aws(err) if err.is_retryable())
}
