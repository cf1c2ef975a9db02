//! From what should be and what is to the steps between them. Pure.
//!
//! Invariants: the plan of a reached state is empty; limiters know the instance before any queue is attached; a flow
//! is deleted only when no queue uses it any more; nothing of the customer's is touched except the queues asked for.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::aws::{FlowType, NewFlow, Queue};
use crate::domain::installation::{
    Drift, ExistingWhisper, InstallationRequest, QueueSelection, QueueState,
};
use crate::flow::{self, Guard, Rest};

use super::desired::{Desired, FlowKey, Remembered};
use super::observed::{Observed, OurFlow, former_whisper};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    GrantPermission,
    CreateFlow {
        key: FlowKey,
        flow: NewFlow,
    },
    UpdateFlow {
        key: FlowKey,
        flow_id: String,
        name: String,
        content: String,
    },
    Publish,
    AttachQueue {
        queue_id: String,
        name: String,
        key: FlowKey,
        previous_flow_id: Option<String>,
    },
    RestoreQueue {
        queue_id: String,
        name: String,
        to_flow_id: Option<String>,
    },
    DeleteFlow {
        flow_id: String,
        name: String,
    },
    Unpublish,
    RevokePermission,
}

impl Step {
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::GrantPermission => "grant_permission",
            Self::CreateFlow { .. } => "create_flow",
            Self::UpdateFlow { .. } => "update_flow",
            Self::Publish => "publish",
            Self::AttachQueue { .. } => "attach_queue",
            Self::RestoreQueue { .. } => "restore_queue",
            Self::DeleteFlow { .. } => "delete_flow",
            Self::Unpublish => "unpublish",
            Self::RevokePermission => "revoke_permission",
        }
    }

    #[must_use]
    pub fn target(&self) -> &str {
        match self {
            Self::GrantPermission | Self::RevokePermission => "limiter function",
            Self::Publish | Self::Unpublish => "policy",
            Self::CreateFlow { flow, .. } => &flow.name,
            Self::UpdateFlow { name, .. }
            | Self::DeleteFlow { name, .. }
            | Self::AttachQueue { name, .. }
            | Self::RestoreQueue { name, .. } => name,
        }
    }
}

/// Where a queue stands before the steps are done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueOutcome {
    pub queue_id: String,
    pub name: String,
    pub key: Option<FlowKey>,
    pub state: QueueState,
    pub detail: String,
}

/// What keeps the desired state from being reached until somebody does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    NameTaken(String),
    UnknownQueues(Vec<String>),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub steps: Vec<Step>,
    pub queues: Vec<QueueOutcome>,
    pub obstacles: Vec<Obstacle>,
    /// Differences that somebody else made and that the tenant wants told, not mended.
    pub drifted: Vec<String>,
}

#[must_use]
pub fn plan(desired: &Desired, remembered: &Remembered, observed: &Observed) -> Plan {
    match &desired.request {
        Some(request) => Planner::new(desired, request, remembered, observed).install(),
        None => uninstall(remembered, observed),
    }
}

/// The plan when the instance itself is gone: only our own side is left to clear.
#[must_use]
pub fn plan_without_instance(remembered: &Remembered, permission_granted: bool) -> Plan {
    let mut plan = Plan::default();
    for (queue_id, queue) in &remembered.queues {
        plan.queues.push(QueueOutcome {
            queue_id: queue_id.clone(),
            name: queue.name.clone(),
            key: None,
            state: QueueState::LeftAlone,
            detail: "the instance is gone".to_owned(),
        });
    }
    clear_our_side(&mut plan, remembered, permission_granted);
    plan
}

#[must_use]
pub fn content_sha256(content: &str) -> String {
    Sha256::digest(content.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What should become of one queue.
enum Fate {
    Attach(FlowKey),
    Refuse(String),
}

struct Planner<'a> {
    desired: &'a Desired,
    request: &'a InstallationRequest,
    remembered: &'a Remembered,
    observed: &'a Observed,
    plan: Plan,
    /// Keys whose flow exists or will exist once the steps so far are done.
    available: BTreeSet<FlowKey>,
}

impl<'a> Planner<'a> {
    fn new(
        desired: &'a Desired,
        request: &'a InstallationRequest,
        remembered: &'a Remembered,
        observed: &'a Observed,
    ) -> Self {
        Self {
            desired,
            request,
            remembered,
            observed,
            plan: Plan::default(),
            available: observed.flows.keys().cloned().collect(),
        }
    }

    fn install(mut self) -> Plan {
        let fates: Vec<(&Queue, Fate)> = self
            .observed
            .queues
            .iter()
            .filter(|queue| self.request.queues.covers(&queue.id))
            .map(|queue| (queue, self.fate(queue)))
            .collect();
        let needed: BTreeSet<FlowKey> = fates
            .iter()
            .filter_map(|(_, fate)| match fate {
                Fate::Attach(key) => Some(key.clone()),
                Fate::Refuse(_) => None,
            })
            .collect();
        if !self.observed.permission_granted {
            self.plan.steps.push(Step::GrantPermission);
        }
        self.flow(
            &FlowKey::Notice,
            Some(flow::notice(&self.desired.function_arn)),
        );
        let notice_is_new = self.plan.steps.iter().any(|step| {
            matches!(
                step,
                Step::CreateFlow {
                    key: FlowKey::Notice,
                    ..
                }
            )
        });
        if notice_is_new || !self.remembered.published {
            self.plan.steps.push(Step::Publish);
        }
        for key in &needed {
            let content = self.whisper_content(key);
            self.flow(key, content);
        }
        for (queue, fate) in fates {
            self.covered_queue(queue, fate);
        }
        self.uncovered_queues();
        self.unknown_queues();
        self.delete_unused(&needed);
        self.plan
    }

    fn fate(&self, queue: &Queue) -> Fate {
        if self.request.existing_whisper == ExistingWhisper::Replace {
            return Fate::Attach(FlowKey::Whisper);
        }
        let own =
            former_whisper(queue, self.remembered, self.observed).filter(|id| !self.is_default(id));
        match own {
            None => self.fate_before_default(),
            Some(id) if self.request.existing_whisper == ExistingWhisper::Refuse => {
                Fate::Refuse(format!(
                    "has a whisper of its own ({}); choose existing_whisper merge or replace to cover it",
                    self.flow_name(&id)
                ))
            }
            Some(id) => self.fate_before(id),
        }
    }

    fn fate_before_default(&self) -> Fate {
        let has_flow = self.observed.flows.contains_key(&FlowKey::Whisper);
        match &self.observed.default_outbound {
            None if !has_flow => Fate::Refuse(format!(
                "the instance has no flow named \"{}\" to go on to",
                flow::DEFAULT_OUTBOUND_NAME
            )),
            None => Fate::Attach(FlowKey::Whisper),
            Some(original) => match self.composed(&original.content) {
                Ok(_) => Fate::Attach(FlowKey::Whisper),
                Err(err) => Fate::Refuse(format!("{}: {err}", flow::DEFAULT_OUTBOUND_NAME)),
            },
        }
    }

    fn fate_before(&self, id: String) -> Fate {
        let key = FlowKey::WhisperBefore(id.clone());
        match self.observed.originals.get(&id) {
            Some(original) => match self.composed(&original.content) {
                Ok(_) => Fate::Attach(key),
                Err(err) => Fate::Refuse(format!(
                    "its whisper ({}) cannot be merged: {err}",
                    self.flow_name(&id)
                )),
            },
            None if self.observed.flows.contains_key(&key) => Fate::Attach(key),
            None => Fate::Refuse(format!(
                "its whisper ({id}) is no longer there to be merged"
            )),
        }
    }

    fn flow_name(&self, id: &str) -> String {
        self.observed
            .whisper_names
            .get(id)
            .cloned()
            .unwrap_or_else(|| id.to_owned())
    }

    fn is_default(&self, flow_id: &str) -> bool {
        self.observed
            .default_outbound
            .as_ref()
            .is_some_and(|flow| flow.id == flow_id)
    }

    fn guard(&self) -> Guard<'_> {
        Guard {
            function_arn: &self.desired.function_arn,
            emergency: &self.desired.emergency,
        }
    }

    fn composed(&self, original: &str) -> Result<String, flow::NotMergeable> {
        flow::whisper(self.guard(), Rest::Own(original))
    }

    /// `None` where the original is gone: then the copy that is there stays as it is.
    fn whisper_content(&self, key: &FlowKey) -> Option<String> {
        let original = match key {
            FlowKey::Notice => return None,
            FlowKey::Whisper if self.request.existing_whisper == ExistingWhisper::Replace => {
                return flow::whisper(self.guard(), Rest::Bare).ok();
            }
            FlowKey::Whisper => self.observed.default_outbound.as_ref(),
            FlowKey::WhisperBefore(id) => self.observed.originals.get(id),
        };
        original.and_then(|original| self.composed(&original.content).ok())
    }

    fn tells_drift_only(&self) -> bool {
        self.request.drift == Drift::Report && !self.desired.fresh
    }

    /// Steps that bring the flow of this key to its content.
    fn flow(&mut self, key: &FlowKey, content: Option<String>) {
        let Some(content) = content else { return };
        match self.observed.flows.get(key) {
            Some(existing) => self.existing_flow(key, existing, content),
            None => self.missing_flow(key, content),
        }
    }

    fn missing_flow(&mut self, key: &FlowKey, content: String) {
        let name = self.free_name(key);
        if self.observed.names.contains(&name) {
            self.plan.obstacles.push(Obstacle::NameTaken(name));
            return;
        }
        if self.remembered.flows.contains_key(key) && self.tells_drift_only() {
            self.plan
                .drifted
                .push(format!("the flow \"{name}\" was deleted"));
            return;
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
        let remembered = self
            .remembered
            .flows
            .get(key)
            .filter(|remembered| remembered.flow_id == existing.id);
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
        if !meant_otherwise && self.tells_drift_only() {
            self.plan
                .drifted
                .push(format!("the flow \"{}\" was changed", existing.name));
            return;
        }
        self.plan.steps.push(Step::UpdateFlow {
            key: key.clone(),
            flow_id: existing.id.clone(),
            name: existing.name.clone(),
            content,
        });
    }

    fn covered_queue(&mut self, queue: &Queue, fate: Fate) {
        let now = queue.outbound.flow_id.as_deref();
        let is_ours = now.is_some_and(|id| self.observed.is_ours(id));
        let attached_before = self
            .remembered
            .queues
            .get(&queue.id)
            .is_some_and(|queue| queue.attached);
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
            Fate::Attach(key) if attached_before && !is_ours && self.tells_drift_only() => {
                let detail =
                    "points at another whisper since; drift is reported, not mended".to_owned();
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

    fn uncovered_queues(&mut self) {
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

    fn unknown_queues(&mut self) {
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

    fn delete_unused(&mut self, needed: &BTreeSet<FlowKey>) {
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

fn delete_step(flow: &OurFlow) -> Step {
    Step::DeleteFlow {
        flow_id: flow.id.clone(),
        name: flow.name.clone(),
    }
}

/// Back to what the queue had, as long as that is still there; otherwise to what Connect runs without a whisper.
fn restore_step(queue: &Queue, remembered: &Remembered, observed: &Observed) -> Step {
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

fn uninstall(remembered: &Remembered, observed: &Observed) -> Plan {
    let mut plan = Plan::default();
    for queue in &observed.queues {
        let is_ours = queue
            .outbound
            .flow_id
            .as_deref()
            .is_some_and(|id| observed.is_ours(id));
        let (state, detail) = match remembered.queues.get(&queue.id) {
            _ if is_ours => {
                plan.steps.push(restore_step(queue, remembered, observed));
                (QueueState::Pending, "")
            }
            Some(before) if before.attached => {
                (QueueState::LeftAlone, "points at another whisper since")
            }
            Some(_) | None => continue,
        };
        plan.queues.push(QueueOutcome {
            queue_id: queue.id.clone(),
            name: queue.name.clone(),
            key: None,
            state,
            detail: detail.to_owned(),
        });
    }
    let whispers_first = observed
        .flows
        .values()
        .rev()
        .chain(&observed.surplus)
        .map(delete_step);
    plan.steps.extend(whispers_first);
    clear_our_side(&mut plan, remembered, observed.permission_granted);
    plan
}

fn clear_our_side(plan: &mut Plan, remembered: &Remembered, permission_granted: bool) {
    if remembered.known_to_limiters {
        plan.steps.push(Step::Unpublish);
    }
    if permission_granted {
        plan.steps.push(Step::RevokePermission);
    }
}
