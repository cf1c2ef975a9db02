//! Steps for our own flows: made, brought to their content, deleted once no queue needs them.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{FlowType, NewFlow};
use crate::domain::drift::DriftKind;
use crate::flow;

use super::super::desired::{FlowKey, RememberedFlow};
use super::super::observed::OurFlow;
use super::install::Planner;
use super::{Obstacle, Step, content_sha256};

impl Planner<'_> {
    /// Steps that bring the flow of this key to its content.
    pub(super) fn flow(&mut self, key: &FlowKey, content: Option<String>) {
        match (self.observed.flows.get(key), content) {
            (Some(existing), Some(content)) => self.existing_flow(key, existing, content),
            (Some(existing), None) => self.orphaned_flow(key, existing),
            (None, Some(content)) => self.missing_flow(key, content),
            (None, None) => {}
        }
    }

    /// It stays as it is, and is watched all the same.
    fn orphaned_flow(&mut self, key: &FlowKey, existing: &OurFlow) {
        self.plan.orphans.push(existing.name.clone());
        let is_changed = self.remembered_as(key, existing).is_some_and(|remembered| {
            let digests = remembered
                .service_sha256
                .as_ref()
                .zip(existing.sha256.as_ref());
            !existing.usable || digests.is_some_and(|(then, now)| then != now)
        });
        if is_changed {
            self.drift(DriftKind::FlowEdited, &key.as_text(), &existing.name, false);
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
            let is_mended = !self.tells_drift_only();
            self.drift(DriftKind::FlowDeleted, &key.as_text(), &name, is_mended);
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
                if self.observed.names.contains(&short) {
                    format!("{} {id}", flow::WHISPER_NAME)
                } else {
                    short
                }
            }
        }
    }

    fn existing_flow(&mut self, key: &FlowKey, existing: &OurFlow, content: String) {
        let remembered = self.remembered_as(key, existing);
        let meant_otherwise = remembered
            .is_none_or(|remembered| remembered.content_sha256 != content_sha256(&content));
        let changed_by_others = remembered.is_some_and(|remembered| {
            !existing.usable
                || match (&remembered.service_sha256, &existing.sha256) {
                    (Some(then), Some(now)) => then != now,
                    _ => existing.content != content,
                }
        });
        if !meant_otherwise && !changed_by_others {
            return;
        }
        // Of a flow that is to be another one anyway nobody can tell who changed it: an update of ours may have lost its
        // answer.
        if !meant_otherwise {
            let is_mended = !self.tells_drift_only();
            self.drift(
                DriftKind::FlowEdited,
                &key.as_text(),
                &existing.name,
                is_mended,
            );
            if !is_mended {
                return;
            }
        }
        self.plan.steps.push(Step::UpdateFlow {
            key: key.clone(),
            flow_id: existing.id.clone(),
            name: existing.name.clone(),
            from_sha256: content_sha256(&existing.content),
            content,
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
        self.plan.steps.extend(steps);
    }
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
    }
}
