//! What a pass writes down. Every entry holds the lease first, so that a process that was overtaken writes nothing.

mod drift;
mod seen;
mod steps;

use std::collections::BTreeMap;
use std::slice;

use jiff::SignedDuration;
use uuid::Uuid;

use crate::clock::{Clock, IdSource};
use crate::domain::ids::{InstanceId, TenantId};
use crate::domain::installation::QueueState;
use crate::store::{InstallationQueue, InstalledFlow, Store, StoreError, TenantTx};

use super::desired::{FlowKey, Remembered, RememberedFlow, RememberedQueue};
use super::execute::StepError;
use super::observed::Observed;
use super::plan::{Plan, actions_sha256, content_sha256};

/// The generation of what nobody asked for, or what is not there yet.
const UNSETTLED: u64 = 0;

/// A flow as it was just published.
#[derive(Debug)]
pub struct Published<'a> {
    pub flow_id: &'a str,
    pub name: &'a str,
    pub content: &'a str,
    pub service_sha256: Option<String>,
}

/// The records of one installation, for as long as this process holds its lease.
#[derive(Debug, Clone)]
pub struct Journal {
    pub store: Store,
    pub clock: Clock,
    pub ids: IdSource,
    pub tenant: TenantId,
    pub instance: InstanceId,
    pub generation: u64,
    pub token: Uuid,
    /// How long a process that died keeps others waiting.
    pub lease: SignedDuration,
}

impl Journal {
    /// Prolongs the lease.
    pub async fn hold_on(&self) -> Result<(), StepError> {
        Ok(self.held().await?.commit().await?)
    }

    /// A transaction in which the lease is ours.
    async fn held(&self) -> Result<TenantTx, StepError> {
        let mut tx = self.store.tenant(self.tenant).await?;
        let until = self
            .clock
            .now()
            .checked_add(self.lease)
            .unwrap_or(jiff::Timestamp::MAX);
        if tx
            .installation_hold(self.instance, self.token, until)
            .await?
        {
            Ok(tx)
        } else {
            Err(StepError::LeaseLost)
        }
    }

    /// Limiters are to know the instance, unless they are to already.
    pub async fn activate_publication(&self) -> Result<(), StepError> {
        if self
            .store
            .publication_is_active(self.tenant, self.instance)
            .await?
        {
            return Ok(());
        }
        let mut tx = self.held().await?;
        tx.publication_activate(self.instance, self.clock.now())
            .await?;
        Ok(tx.commit().await?)
    }

    /// Whether the tenant gave the removal up.
    pub async fn is_abandoned(&self) -> Result<bool, StepError> {
        let mut tx = self.store.tenant(self.tenant).await?;
        let abandoned = tx.installation_is_abandoned(self.instance).await?;
        tx.commit().await?;
        Ok(abandoned)
    }

    pub async fn remembered(&self) -> Result<Remembered, StepError> {
        let mut tx = self.store.tenant(self.tenant).await?;
        let queues = tx.installation_queue_list(self.instance).await?;
        let flows = tx.installed_flow_list(self.instance).await?;
        let deleted = tx.deleted_flow_list(self.instance).await?;
        let publication = tx.publication_state(self.instance).await?;
        let fallback_arn = tx.installation_fallback(self.instance).await?;
        let settled = tx
            .installation_settled(self.instance, self.generation)
            .await?;
        tx.commit().await?;
        Ok(Remembered {
            flows: flows
                .into_iter()
                .map(|flow| {
                    let key = flow_key("installed_flows.flow_key", &flow.key)?;
                    let remembered = RememberedFlow {
                        flow_id: flow.flow_id,
                        content_sha256: flow.content_sha256,
                        service_sha256: flow.service_sha256,
                        actions_sha256: flow.actions_sha256,
                        sending_sha256: flow.sending_sha256,
                        settled: settled.flows.contains(&flow.key),
                        removing: flow.removing,
                    };
                    Ok((key, remembered))
                })
                .collect::<Result<BTreeMap<_, _>, StoreError>>()?,
            deleted: deleted
                .into_iter()
                .map(|flow| Ok((flow.flow_id, flow_key("deleted_flows.flow_key", &flow.key)?)))
                .collect::<Result<BTreeMap<_, _>, StoreError>>()?,
            queues: queues
                .into_iter()
                .map(|queue| {
                    let remembered = RememberedQueue {
                        settled: settled.queues.contains(&queue.queue_id),
                        name: queue.name,
                        previous_flow_id: queue.previous_flow_id,
                        attached: queue.whisper_flow_id.is_some(),
                        state: queue.state,
                    };
                    (queue.queue_id, remembered)
                })
                .collect(),
            looked: settled.looked,
            unseen: settled.unseen,
            fallback_arn,
            fallback_settled: settled.fallback,
            published: publication.is_current,
            known_to_limiters: publication.is_known,
        })
    }

    /// Writes down the steps ahead, and what is known of each queue before them; answers the first step's position.
    pub async fn planned(
        &self,
        plan: &Plan,
        remembered: &Remembered,
        observed: &Observed,
    ) -> Result<i32, StepError> {
        let steps: Vec<(&str, &str)> = plan
            .steps
            .iter()
            .map(|step| (step.name(), step.target()))
            .collect();
        let now = self.clock.now();
        let mut tx = self.held().await?;
        self.tell_interrupted(&mut tx).await?;
        let first = tx
            .installation_steps_plan(self.instance, self.generation, &steps, now)
            .await?;
        let unread: Vec<String> = observed.unread.queues.keys().cloned().collect();
        tx.installation_look_ended(self.instance, self.generation, &unread)
            .await?;
        if observed.fallback_granted == Some(true) {
            tx.installation_fallback_settle(self.instance, self.generation)
                .await?;
        }
        self.queues_seen(&mut tx, plan, remembered, observed)
            .await?;
        self.flows_seen(&mut tx, plan, observed).await?;
        self.drift_seen(&mut tx, plan).await?;
        tx.commit().await?;
        Ok(first)
    }

    pub async fn function_repointed(&self) -> Result<(), StepError> {
        let mut tx = self.held().await?;
        tx.shard_repointed(self.instance, self.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    pub async fn function_left(&self) -> Result<(), StepError> {
        let mut tx = self.held().await?;
        tx.shard_left(self.instance).await?;
        Ok(tx.commit().await?)
    }

    /// Before other content is published, as its answer may be lost: what it does, and what the one that is there does, unless
    /// that is somebody else's.
    pub async fn flow_sending(
        &self,
        flow_id: &str,
        content: &str,
        ours_now: Option<&str>,
    ) -> Result<(), StepError> {
        let sending_sha256 = actions_sha256(content);
        let now_sha256 = ours_now.map(actions_sha256);
        let mut tx = self.held().await?;
        tx.installed_flow_sending(
            self.instance,
            flow_id,
            &sending_sha256,
            now_sha256.as_deref(),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Remembers a flow that was just published. A notice flow with a new id has to be published, or limiters would send tasks
    /// nowhere.
    pub async fn flow_remember(&self, key: &FlowKey, flow: Published<'_>) -> Result<(), StepError> {
        let row = InstalledFlow {
            key: key.as_text(),
            flow_id: flow.flow_id.to_owned(),
            name: flow.name.to_owned(),
            content_sha256: content_sha256(flow.content),
            service_sha256: flow.service_sha256,
            actions_sha256: Some(actions_sha256(flow.content)),
            sending_sha256: None,
            removing: false,
        };
        let mut tx = self.held().await?;
        let is_another = tx.installed_flow_put(self.instance, &row).await?;
        tx.installed_flows_settle(self.instance, self.generation, slice::from_ref(&row.key))
            .await?;
        if is_another && *key == FlowKey::Notice {
            tx.publication_touch(Some(self.instance), self.clock.now())
                .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Before a flow is deleted: whether it is gone then, the answer may not tell, nor whether a queue names it by then.
    pub async fn flow_removing(&self, flow_id: &str, key: &FlowKey) -> Result<(), StepError> {
        let mut tx = self.held().await?;
        tx.installed_flow_removing(self.instance, flow_id, true)
            .await?;
        tx.deleted_flow_put(self.instance, flow_id, &key.as_text())
            .await?;
        Ok(tx.commit().await?)
    }

    pub async fn flow_forget(&self, flow_id: &str) -> Result<(), StepError> {
        let mut tx = self.held().await?;
        tx.installed_flow_forget(self.instance, flow_id).await?;
        Ok(tx.commit().await?)
    }

    /// Before the instance is let to invoke the fallback function; `None` once it is not any more.
    pub async fn fallback_remember(&self, function_arn: Option<&str>) -> Result<(), StepError> {
        let mut tx = self.held().await?;
        tx.installation_fallback_set(self.instance, function_arn)
            .await?;
        Ok(tx.commit().await?)
    }

    /// The instance may invoke the fallback function.
    pub async fn fallback_settled(&self) -> Result<(), StepError> {
        let mut tx = self.held().await?;
        tx.installation_fallback_settle(self.instance, self.generation)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Before a queue is changed: what it ran, and what it is about to run.
    pub async fn queue_attaching(
        &self,
        queue_id: &str,
        name: &str,
        previous_flow_id: Option<&str>,
        whisper_flow_id: &str,
    ) -> Result<(), StepError> {
        let queue = InstallationQueue {
            queue_id: queue_id.to_owned(),
            name: name.to_owned(),
            previous_flow_id: previous_flow_id.map(str::to_owned),
            whisper_flow_id: Some(whisper_flow_id.to_owned()),
            state: QueueState::Pending,
            detail: String::new(),
        };
        let mut tx = self.held().await?;
        tx.installation_queue_put(self.instance, &queue).await?;
        Ok(tx.commit().await?)
    }

    /// Why these queues, by id, are not yet where they should be.
    pub async fn queues_told(&self, told: &[(String, String)]) -> Result<(), StepError> {
        if told.is_empty() {
            return Ok(());
        }
        let mut tx = self.held().await?;
        for mut queue in tx.installation_queue_list(self.instance).await? {
            if let Some((_, detail)) = told.iter().find(|(id, _)| *id == queue.queue_id) {
                detail.clone_into(&mut queue.detail);
                tx.installation_queue_put(self.instance, &queue).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// The queue is where it should be, or out of our hands.
    pub async fn queue_settled(
        &self,
        queue_id: &str,
        state: QueueState,
        detail: &str,
    ) -> Result<(), StepError> {
        let mut tx = self.held().await?;
        let known = tx.installation_queue_list(self.instance).await?;
        if let Some(mut queue) = known.into_iter().find(|queue| queue.queue_id == queue_id) {
            if state != QueueState::Attached {
                queue.whisper_flow_id = None;
            }
            // A queue that was refused stays so after its own whisper is back.
            if !(queue.state == QueueState::Refused && state == QueueState::Restored) {
                queue.state = state;
                detail.clone_into(&mut queue.detail);
            }
            tx.installation_queue_put(self.instance, &queue).await?;
            let settled = match state {
                QueueState::Attached => self.generation,
                _ => UNSETTLED,
            };
            tx.installation_queues_settle(self.instance, settled, &[queue.queue_id])
                .await?;
        }
        Ok(tx.commit().await?)
    }
}

fn flow_key(what: &'static str, text: &str) -> Result<FlowKey, StoreError> {
    FlowKey::parse(text).ok_or_else(|| StoreError::Corrupt {
        what,
        detail: text.to_owned(),
    })
}
