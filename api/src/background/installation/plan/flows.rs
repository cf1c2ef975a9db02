//! Steps for our own flows: made, brought to their content, deleted once no queue needs them.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{FlowType, NewFlow};
use crate::domain::drift::DriftKind;
use crate::flow;

use super::super::desired::{FlowKey, RememberedFlow};
use super::super::observed::OurFlow;
use super::install::Planner;
use super::unread::unread_queues;
use super::{Obstacle, Over, Step, actions_sha256, content_sha256};

impl Planner<'_> {
    /// Steps that bring the flow of this key to its content.
    pub(super) fn flow(&mut self, key: &FlowKey, content: Option<String>) {
        if self.unread_original(key).is_some() {
            return self.uncompared_flow(key);
        }
        match (self.observed.flows.get(key), content) {
            (Some(existing), Some(content)) => self.existing_flow(key, existing, content),
            (Some(existing), None) => {
                self.plan.orphans.push(existing.name.clone());
                self.watched_flow(key, existing);
            }
            (None, Some(content)) => self.missing_flow(key, content),
            (None, None) => {}
        }
    }

    /// A flow of ours that no queue is to run for now, and that somebody may point one at.
    pub(super) fn kept_flow(&mut self, key: &FlowKey) {
        if let Some(existing) = self.observed.flows.get(key) {
            self.watched_flow(key, existing);
        }
    }

    /// It stays as it is, but for the function that it calls, and is watched all the same.
    fn watched_flow(&mut self, key: &FlowKey, existing: &OurFlow) {
        let is_edited = self
            .remembered_as(key, existing)
            .is_some_and(|remembered| is_edited(remembered, existing, None));
        if is_edited && !self.is_fresh_flow(key) {
            self.drift(DriftKind::FlowEdited, &key.as_text(), &existing.name, false);
        }
        let over = if is_edited {
            Over::KeptEdit
        } else {
            Over::Ours
        };
        if let Some(content) = self.repointed(key) {
            self.update(existing, content, over);
        }
    }

    /// What it is to be nobody can tell for now: it is watched meanwhile, and whatever was told of it before lasts.
    pub(super) fn uncompared_flow(&mut self, key: &FlowKey) {
        self.plan.uncompared.insert(key.clone());
        if let Some(existing) = self.observed.flows.get(key) {
            self.watched_flow(key, existing);
        }
    }

    fn remembered_as(&self, key: &FlowKey, existing: &OurFlow) -> Option<&RememberedFlow> {
        let remembered = self.remembered.flows.get(key);
        remembered.filter(|remembered| remembered.flow_id == existing.id)
    }

    fn missing_flow(&mut self, key: &FlowKey, content: String) {
        let name = self.free_name(key);
        if self.observed.names.contains(&name) {
            self.plan.obstacles.push(Obstacle::NameTaken(name));
            return;
        }
        // Not one that we deleted ourselves, of which the answer was lost.
        let was_kept = |flow: &RememberedFlow| !flow.removing;
        if self.remembered.flows.get(key).is_some_and(was_kept) {
            let is_fresh = self.is_fresh_flow(key);
            let is_mended = !self.tells_drift_only(is_fresh);
            if !is_fresh {
                self.drift(DriftKind::FlowDeleted, &key.as_text(), &name, is_mended);
            }
            if !is_mended {
                return;
            }
        }
        self.available.insert(key.clone());
        self.plan.steps.push(Step::CreateFlow {
            key: key.clone(),
            flow: new_flow(&self.desired.instance_id, key, name, content),
        });
    }

    fn free_name(&self, key: &FlowKey) -> String {
        match key {
            FlowKey::Notice => flow::NOTICE_NAME.to_owned(),
            FlowKey::Whisper => flow::WHISPER_NAME.to_owned(),
            FlowKey::WhisperBefore(id) => {
                let short = flow::whisper_name(id);
                if self.is_taken(&short) {
                    format!("{} {id}", flow::WHISPER_NAME)
                } else {
                    short
                }
            }
        }
    }

    /// By a flow that is there, or that this plan makes.
    fn is_taken(&self, name: &str) -> bool {
        let makes =
            |step: &Step| matches!(step, Step::CreateFlow { flow, .. } if flow.name == name);
        self.observed.names.contains(name) || self.plan.steps.iter().any(makes)
    }

    fn existing_flow(&mut self, key: &FlowKey, existing: &OurFlow, content: String) {
        let remembered = self.remembered_as(key, existing);
        let is_edited =
            remembered.is_some_and(|remembered| is_edited(remembered, existing, Some(&content)));
        let is_as_meant = remembered
            .is_some_and(|remembered| remembered.content_sha256 == content_sha256(&content))
            && actions_sha256(&existing.content) == actions_sha256(&content);
        let is_fresh = self.is_fresh_flow(key);
        if is_edited && !is_fresh {
            let is_mended = !self.tells_drift_only(is_fresh);
            self.drift(
                DriftKind::FlowEdited,
                &key.as_text(),
                &existing.name,
                is_mended,
            );
            if !is_mended {
                // Whatever was made of it: it must not call a function that serves it no longer.
                if let Some(content) = self.repointed(key) {
                    self.update(existing, content, Over::KeptEdit);
                }
                return;
            }
        }
        if is_edited {
            self.update(existing, content, Over::Edit);
        } else if !is_as_meant {
            self.update(existing, content, Over::Ours);
        }
    }

    fn update(&mut self, existing: &OurFlow, content: String, over: Over) {
        self.plan.steps.push(Step::UpdateFlow {
            key: existing.key.clone(),
            flow_id: existing.id.clone(),
            name: existing.name.clone(),
            from_sha256: content_sha256(&existing.content),
            content,
            over,
        });
    }

    pub(super) fn delete_unused(&mut self, needed: &BTreeSet<FlowKey>) {
        let moved: BTreeSet<&str> = self
            .plan
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::AttachQueue { queue_id, .. } | Step::RestoreQueue { queue_id, .. } => {
                    Some(queue_id.as_str())
                }
                _ => None,
            })
            .collect();
        let used: BTreeSet<&str> = self
            .observed
            .queues
            .iter()
            .filter(|queue| !moved.contains(queue.id.as_str()))
            .filter_map(|queue| queue.outbound.flow_id.as_deref())
            .collect();
        let unused = self
            .observed
            .flows
            .values()
            .filter(|flow| flow.key != FlowKey::Notice && !needed.contains(&flow.key))
            .chain(&self.observed.surplus)
            .filter(|flow| !used.contains(flow.id.as_str()));
        let steps: Vec<Step> = unused.map(delete_step).collect();
        if steps.is_empty() || self.observed.unread.queues.is_empty() {
            self.plan.steps.extend(steps);
        } else {
            // Any of them may run it.
            for unread in unread_queues(self.remembered, self.observed) {
                if !self.plan.unknown.contains(&unread) {
                    self.plan.unknown.push(unread);
                }
            }
        }
    }
}

/// Somebody else changed what it does: it is not what we published, nor what we were about to, nor what it is to be.
fn is_edited(remembered: &RememberedFlow, existing: &OurFlow, meant: Option<&str>) -> bool {
    if !existing.usable {
        return true;
    }
    let now = actions_sha256(&existing.content);
    let is_meant = meant.is_some_and(|meant| actions_sha256(meant) == now);
    let digests = remembered
        .service_sha256
        .as_ref()
        .zip(existing.sha256.as_ref());
    let is_published = digests.is_some_and(|(then, now)| then == now);
    let sent = [&remembered.actions_sha256, &remembered.sending_sha256];
    let is_sent = sent.into_iter().flatten().any(|sent| *sent == now);
    // Of one that was published before that was written down, and has no digest, nobody can tell.
    let is_known = remembered.actions_sha256.is_some() || digests.is_some();
    is_known && !(is_meant || is_published || is_sent)
}

fn new_flow(instance_id: &str, key: &FlowKey, name: String, content: String) -> NewFlow {
    let (flow_type, description) = match key {
        FlowKey::Notice => (
            FlowType::ContactFlow,
            "Brings Ringfence's notices to the agent who dialled. Managed by Ringfence; changes are undone.",
        ),
        FlowKey::Whisper | FlowKey::WhisperBefore(_) => (
            FlowType::OutboundWhisper,
            "Asks Ringfence whether this call may go out, before it rings. Managed by Ringfence; changes are undone.",
        ),
    };
    let mut tags = BTreeMap::from([
        (
            flow::TAG_MANAGED_BY.to_owned(),
            flow::TAG_MANAGED_BY_VALUE.to_owned(),
        ),
        (flow::TAG_INSTANCE.to_owned(), instance_id.to_owned()),
        (flow::TAG_FLOW.to_owned(), key.tag().to_owned()),
    ]);
    if let Some(original) = key.original_flow_id() {
        tags.insert(flow::TAG_ORIGINAL.to_owned(), original.to_owned());
    }
    NewFlow {
        name,
        flow_type,
        description: description.to_owned(),
        content,
        tags,
    }
}

pub(super) fn delete_step(flow: &OurFlow) -> Step {
    Step::DeleteFlow {
        key: flow.key.clone(),
        flow_id: flow.id.clone(),
        name: flow.name.clone(),
        content_sha256: content_sha256(&flow.content),
    }
}
