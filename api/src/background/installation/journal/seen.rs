//! What a look at the instance shows of queues and flows, written down with the plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::Queue;
use crate::domain::installation::QueueState;
use crate::store::{InstallationQueue, TenantTx};

use super::super::desired::{FlowKey, Remembered};
use super::super::execute::StepError;
use super::super::observed::{Observed, Onlooker, former_whisper};
use super::super::plan::{Plan, QueueOutcome};
use super::{Journal, UNSETTLED};

/// What is written is for people alone: where that fails, the look goes on.
impl Onlooker for Journal {
    async fn looked(&self, done: usize, total: usize) {
        let told = async {
            let mut tx = self.held().await?;
            tx.installation_looked(self.instance, done, total).await?;
            Ok::<(), StepError>(tx.commit().await?)
        };
        if let Err(err) = told.await {
            tracing::debug!(instance.id = %self.instance, error = %err, "how far a look has come was not written down");
        }
    }
}

impl Journal {
    /// What was about to be deleted and is there, and stays by this plan, is anybody's to delete from now on. What is gone, or
    /// not ours by tag any more, and named by no queue, is forgotten.
    pub(super) async fn flows_seen(
        &self,
        tx: &mut TenantTx,
        plan: &Plan,
        observed: &Observed,
    ) -> Result<(), StepError> {
        let is_there = |flow_id: &str| observed.key_of(flow_id).is_some();
        let as_asked: Vec<String> = observed
            .flows
            .keys()
            .filter(|key| !plan.changes_flow(key) && !plan.uncompared.contains(key))
            .map(FlowKey::as_text)
            .collect();
        tx.installed_flows_settle(self.instance, self.generation, &as_asked)
            .await?;
        let remembered = tx.installed_flow_list(self.instance).await?;
        for flow in remembered.iter().filter(|flow| flow.removing) {
            if !is_there(&flow.flow_id) {
                tx.installed_flow_forget(self.instance, &flow.flow_id)
                    .await?;
            } else if !plan.deletes(&flow.flow_id) {
                tx.installed_flow_removing(self.instance, &flow.flow_id, false)
                    .await?;
            }
        }
        for flow in tx.deleted_flow_list(self.instance).await? {
            let names_it = |queue: &Queue| queue.outbound.flow_id.as_ref() == Some(&flow.flow_id);
            let may_be_named =
                observed.queues.iter().any(names_it) || !observed.unread.queues.is_empty();
            let is_wanted = may_be_named
                || if is_there(&flow.flow_id) {
                    plan.deletes(&flow.flow_id)
                } else {
                    observed.gone.contains(&flow.flow_id)
                };
            if !is_wanted {
                tx.deleted_flow_forget(self.instance, &flow.flow_id).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn queues_seen(
        &self,
        tx: &mut TenantTx,
        plan: &Plan,
        remembered: &Remembered,
        observed: &Observed,
    ) -> Result<(), StepError> {
        let mut known: BTreeMap<String, InstallationQueue> = tx
            .installation_queue_list(self.instance)
            .await?
            .into_iter()
            .map(|queue| (queue.queue_id.clone(), queue))
            .collect();
        for outcome in &plan.queues {
            let before = known.remove(&outcome.queue_id);
            let shown = observed.flow_shown(&outcome.queue_id);
            let queue = InstallationQueue {
                queue_id: outcome.queue_id.clone(),
                name: outcome.name.clone(),
                previous_flow_id: match (&before, observed.queue(&outcome.queue_id)) {
                    (Some(before), _) if before.whisper_flow_id.is_some() => {
                        before.previous_flow_id.clone()
                    }
                    // It may run ours by tomorrow, without our doing.
                    (_, Some(queue)) => former_whisper(queue, remembered, observed),
                    (before, None) => before
                        .as_ref()
                        .and_then(|known| known.previous_flow_id.clone()),
                },
                whisper_flow_id: match outcome.state {
                    QueueState::Attached => shown.map(str::to_owned),
                    _ if is_out_of_our_hands(outcome, observed) => None,
                    _ => before.and_then(|before| before.whisper_flow_id),
                },
                state: outcome.state,
                detail: outcome.detail.clone(),
            };
            tx.installation_queue_put(self.instance, &queue).await?;
        }
        for (settled, is_settled) in [(self.generation, true), (UNSETTLED, false)] {
            let ids = plan.queues_settled(is_settled);
            tx.installation_queues_settle(self.instance, settled, &ids)
                .await?;
        }
        let there: BTreeSet<&str> = observed
            .queues
            .iter()
            .map(|queue| queue.id.as_str())
            .chain(observed.unread.queues.keys().map(String::as_str))
            .collect();
        for queue_id in known.keys().filter(|id| !there.contains(id.as_str())) {
            tx.installation_queue_delete(self.instance, queue_id)
                .await?;
        }
        Ok(())
    }
}

/// It is to run nothing of ours, and does not.
fn is_out_of_our_hands(outcome: &QueueOutcome, observed: &Observed) -> bool {
    let is_over = matches!(
        outcome.state,
        QueueState::Restored | QueueState::Refused | QueueState::LeftAlone
    );
    let seen = observed.queue(&outcome.queue_id);
    let runs_ours = |queue: &Queue| {
        let now = queue.outbound.flow_id.as_deref();
        now.is_some_and(|id| observed.is_ours(id))
    };
    is_over && outcome.key.is_none() && seen.is_some_and(|queue| !runs_ours(queue))
}
