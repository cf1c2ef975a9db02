//! Doubles of an instance and of a function's policy: strict about what Connect is strict about, and able to fail at
//! any chosen request, before or after it took effect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use ringfence_api::aws::{
    AwsError, AwsErrorKind, ConnectInstance, CreatedFlow, Flow, FlowSummary, FlowType,
    FunctionPermissions, InstanceFacts, InvokePermission, NewFlow, Outbound, Queue, QueueSummary,
};
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// When the request of this number (from 1) fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Before(u32),
    After(u32),
}

/// Before or after the effect of the request of this number (from 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Before(u32),
    After(u32),
}

/// Somebody changes something, just before the request of this number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub before: u32,
    pub change: Change,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Repoint {
        queue: String,
        flow_id: String,
    },
    /// At one of our whispers, the one of this place, in the order of their ids.
    PointAtOurs {
        queue: String,
        place: usize,
    },
    /// Of our flows, the one of this place, in the order of their ids.
    DeleteOurs(usize),
    /// It goes on past our function, which it still names.
    RewriteOurs(usize),
    /// No function lets the instance in any more.
    Ungrant,
}

/// Where a request waits until it may go on, and how that is told.
#[derive(Debug)]
struct Gate {
    at: Moment,
    reached: oneshot::Sender<()>,
    open: oneshot::Receiver<()>,
}

#[derive(Debug, Default)]
pub struct Inside {
    pub flows: BTreeMap<String, (FlowType, Flow)>,
    pub queues: BTreeMap<String, Queue>,
    /// Flows and queues that lists pass over.
    pub unlisted: BTreeSet<String>,
    /// Flows in the archive, which publishing does not bring back.
    pub archived: BTreeSet<String>,
    /// Flows that exist as drafts only.
    pub drafts: BTreeSet<String>,
    /// Content with this text in it is refused.
    pub refused_text: Option<&'static str>,
    /// Queues that take no change, and how that is refused.
    pub fixed_queues: BTreeMap<String, AwsErrorKind>,
    /// Queues and flows that cannot be read, and how that fails.
    pub unreadable: BTreeMap<String, AwsErrorKind>,
    /// Connect's quota of flows, where it matters.
    pub flows_max: Option<usize>,
    /// The whisper of ours that somebody pointed a queue at by hand.
    pointed_at: Option<String>,
    /// Function and statement.
    pub granted: BTreeSet<(String, String)>,
    /// The customer deployed the fallback function.
    pub has_fallback: bool,
    pub fallback_granted: BTreeSet<String>,
    pub gone: bool,
    pub denied: BTreeSet<&'static str>,
    /// Connect takes no more requests from this account for now.
    pub throttled: bool,
    /// Every change, in order.
    pub changes: Vec<String>,
    /// The same, and never cleared.
    pub history: Vec<String>,
    /// The contents that updates took the place of, those of deleted flows, and the whisper that each queue showed before its
    /// last change.
    pub overwritten: Vec<String>,
    pub deleted: Vec<String>,
    pub replaced: BTreeMap<String, Option<String>>,
    fault: Option<Fault>,
    /// The fault has come about.
    struck: bool,
    edit: Option<Edit>,
    gate: Option<Gate>,
    requests: u32,
    next_id: u32,
}

/// An instance and the limiter function's policy in one; clones share it.
#[derive(Debug, Clone, Default)]
pub struct FakeInstance {
    inside: Arc<Mutex<Inside>>,
}

pub const DEFAULT_OUTBOUND: &str = "flow-default-outbound";

/// A whisper that says one thing.
pub fn whisper_content(text: &str) -> String {
    json!({
        "Version": "2019-10-30",
        "StartAction": "say",
        "Metadata": {},
        "Actions": [
            { "Identifier": "say", "Type": "MessageParticipant", "Parameters": { "Text": text },
              "Transitions": { "NextAction": "end", "Errors": [{ "ErrorType": "NoMatchingError", "NextAction": "end" }] } },
            { "Identifier": "end", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {} },
        ],
    })
    .to_string()
}

impl FakeInstance {
    /// An instance with Connect's default flow and these queues, each with its whisper.
    pub fn with_queues(queues: &[(&str, Option<&str>)]) -> Self {
        let fake = Self::default();
        fake.add_flow(
            DEFAULT_OUTBOUND,
            "Default outbound",
            &whisper_content("default"),
            &[],
        );
        for (id, whisper) in queues {
            if let Some(whisper) = whisper.filter(|whisper| *whisper != DEFAULT_OUTBOUND) {
                fake.add_flow(
                    whisper,
                    &format!("Whisper {whisper}"),
                    &whisper_content(whisper),
                    &[],
                );
            }
            let queue = Queue {
                id: (*id).to_owned(),
                arn: format!("arn:aws:connect:us-east-1:111122223333:instance/i/queue/{id}"),
                name: format!("Queue {id}"),
                outbound: Outbound {
                    caller_id_name: Some("Acme".to_owned()),
                    caller_id_number_id: Some(format!("number-{id}")),
                    flow_id: whisper.map(str::to_owned),
                },
            };
            fake.inside().queues.insert((*id).to_owned(), queue);
        }
        fake
    }

    pub fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("no panic inside")
    }

    pub fn add_flow(&self, id: &str, name: &str, content: &str, tags: &[(&str, &str)]) {
        let flow = Flow {
            id: id.to_owned(),
            name: name.to_owned(),
            content: content.to_owned(),
            sha256: Some(digest(content)),
            tags: tags
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            usable: true,
        };
        self.inside()
            .flows
            .insert(id.to_owned(), (FlowType::OutboundWhisper, flow));
    }

    pub fn fail(&self, fault: Option<Fault>) {
        let mut inside = self.inside();
        inside.fault = fault;
        inside.struck = false;
        inside.requests = 0;
    }

    /// The customer's role lets us in, or not.
    pub async fn assume(&self) -> Result<(), AwsError> {
        let inside = self.inside();
        if inside.denied.contains("sts:AssumeRole") {
            return Err(AwsError {
                action: "sts:AssumeRole",
                kind: AwsErrorKind::AccessDenied,
                message: String::new(),
            });
        }
        Ok(())
    }

    /// Since a fault or an edit was last ordered.
    pub fn requests(&self) -> u32 {
        self.inside().requests
    }

    /// Whether the ordered fault has come about.
    pub fn struck(&self) -> bool {
        self.inside().struck
    }

    /// A whisper of the customer's own that no queue runs yet.
    pub fn add_whisper(&self, id: &str) {
        self.add_flow(id, &format!("Whisper {id}"), &whisper_content(id), &[]);
    }

    /// The customer publishes other content of a flow of theirs.
    pub fn publish(&self, flow_id: &str, content: &str) {
        let mut inside = self.inside();
        let flow = &mut inside.flows.get_mut(flow_id).expect("the flow").1;
        content.clone_into(&mut flow.content);
        flow.sha256 = Some(digest(content));
    }

    /// From now on only this queue or flow cannot be read.
    pub fn hide(&self, id: &str, failure: AwsErrorKind) {
        self.inside().unreadable = [(id.to_owned(), failure)].into();
    }

    pub fn show_all(&self) {
        self.inside().unreadable.clear();
    }

    /// The customer gives a queue a whisper.
    pub fn point(&self, queue_id: &str, flow_id: &str) {
        let mut inside = self.inside();
        let queue = inside.queues.get_mut(queue_id).expect("the queue");
        queue.outbound.flow_id = Some(flow_id.to_owned());
    }

    /// The whispers and notice flow with Ringfence's tag, each with the customer's whisper behind it.
    pub fn our_flow_keys(&self) -> BTreeMap<String, Option<String>> {
        let inside = self.inside();
        let ours = inside
            .flows
            .values()
            .filter(|(_, flow)| flow.tags.contains_key("managed-by"));
        ours.map(|(_, flow)| {
            let original = flow.tags.get("ringfence-original").cloned();
            (flow.id.clone(), original)
        })
        .collect()
    }

    /// Somebody rewrites the flow of ours of this place.
    pub fn rewrite_ours(&self, place: usize) {
        self.inside().apply(Change::RewriteOurs(place));
    }

    /// Those of our flows that are as somebody rewrote them.
    pub fn rewritten(&self) -> Vec<String> {
        let is_rewritten = |id: &String| self.inside().flows[id].1.content.contains(THEIRS);
        self.our_flows().into_iter().filter(is_rewritten).collect()
    }

    pub fn is_whisper(&self, flow_id: &str) -> bool {
        self.inside().flows[flow_id].0 == FlowType::OutboundWhisper
    }

    /// Whether the ordered edit has come about.
    pub fn was_edited(&self) -> bool {
        self.inside().edit.is_none()
    }

    pub fn edit(&self, edit: Option<Edit>) {
        let mut inside = self.inside();
        inside.edit = edit;
        inside.requests = 0;
    }

    /// The request of this number (from now on, from 1) waits: the first end is told when it does, the second lets it go.
    pub fn gate(&self, number: u32) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        self.gate_at(Moment::Before(number))
    }

    pub fn gate_at(&self, at: Moment) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let (reached, told) = oneshot::channel();
        let (opener, open) = oneshot::channel();
        let mut inside = self.inside();
        inside.requests = 0;
        inside.gate = Some(Gate { at, reached, open });
        (told, opener)
    }

    async fn pass_gate(&self, now: Moment) {
        let gate = self.inside().gate.take_if(|gate| gate.at == now);
        if let Some(gate) = gate {
            // Nobody may listen any more.
            let _ = gate.reached.send(());
            let _ = gate.open.await;
        }
    }

    pub fn whisper_of(&self, queue_id: &str) -> Option<String> {
        self.inside().queues[queue_id].outbound.flow_id.clone()
    }

    /// Ids of the flows with Ringfence's tag.
    pub fn our_flows(&self) -> Vec<String> {
        let inside = self.inside();
        let ours = inside
            .flows
            .values()
            .filter(|(_, flow)| flow.tags.contains_key("managed-by"));
        ours.map(|(_, flow)| flow.id.clone()).collect()
    }

    async fn request<T>(
        &self,
        action: &'static str,
        effect: impl FnOnce(&mut Inside) -> Result<T, AwsErrorKind>,
    ) -> Result<T, AwsError> {
        let number = {
            let mut inside = self.inside();
            inside.requests += 1;
            inside.requests
        };
        self.pass_gate(Moment::Before(number)).await;
        let answer = self.performed(action, number, effect);
        self.pass_gate(Moment::After(number)).await;
        answer.map_err(|kind| AwsError {
            action,
            kind,
            message: String::new(),
        })
    }

    fn performed<T>(
        &self,
        action: &'static str,
        number: u32,
        effect: impl FnOnce(&mut Inside) -> Result<T, AwsErrorKind>,
    ) -> Result<T, AwsErrorKind> {
        let mut inside = self.inside();
        // Between our reading of a queue or a flow and our change of it nobody could tell: the service has no lock.
        let has_just_read = [
            "connect:UpdateQueueOutboundCallerConfig",
            "connect:UpdateContactFlowContent",
            "connect:DeleteContactFlow",
        ];
        if !has_just_read.contains(&action)
            && let Some(edit) = inside.edit.take_if(|edit| edit.before <= number)
        {
            inside.apply(edit.change);
        }
        if inside.fault == Some(Fault::Before(number)) {
            inside.struck = true;
            return Err(AwsErrorKind::Transient);
        }
        if inside.denied.contains(action) {
            return Err(AwsErrorKind::AccessDenied);
        }
        if inside.throttled && action.starts_with("connect:") {
            return Err(AwsErrorKind::Throttled);
        }
        if inside.gone && action.starts_with("connect:") {
            return Err(AwsErrorKind::NotFound);
        }
        let answer = effect(&mut inside);
        if inside.fault == Some(Fault::After(number)) {
            inside.struck = true;
            return Err(AwsErrorKind::Transient);
        }
        answer
    }
}

impl Inside {
    fn is_usable(&self, flow: &Flow) -> bool {
        flow.usable && !self.archived.contains(&flow.id) && !self.drafts.contains(&flow.id)
    }

    fn read(&self, id: &str) -> Result<(), AwsErrorKind> {
        match self.unreadable.get(id) {
            Some(failure) => Err(failure.clone()),
            None => Ok(()),
        }
    }

    fn check(&self, content: &str) -> Result<(), AwsErrorKind> {
        match self.refused_text {
            Some(text) if content.contains(text) => {
                Err(AwsErrorKind::InvalidFlow(vec![format!("no {text} here")]))
            }
            _ => Ok(()),
        }
    }

    fn apply(&mut self, change: Change) {
        let ours = |flows: &BTreeMap<String, (FlowType, Flow)>, place: usize| {
            let ours = flows.values();
            let mut ours = ours.filter(|(_, flow)| flow.tags.contains_key("managed-by"));
            ours.nth(place).map(|(_, flow)| flow.id.clone())
        };
        match change {
            Change::Repoint { queue, flow_id } => {
                if let Some(queue) = self.queues.get_mut(&queue) {
                    queue.outbound.flow_id = Some(flow_id.clone());
                    self.pointed_at = Some(flow_id);
                }
            }
            Change::PointAtOurs { queue, place } => {
                let whispers = self.flows.values().filter(|(flow_type, flow)| {
                    *flow_type == FlowType::OutboundWhisper && flow.tags.contains_key("managed-by")
                });
                let id = whispers.map(|(_, flow)| flow.id.clone()).nth(place);
                if let (Some(queue), Some(id)) = (self.queues.get_mut(&queue), id) {
                    queue.outbound.flow_id = Some(id.clone());
                    self.pointed_at = Some(id);
                }
            }
            Change::DeleteOurs(place) => {
                if let Some(id) = ours(&self.flows, place) {
                    self.flows.remove(&id);
                }
            }
            Change::RewriteOurs(place) => {
                if let Some(id) = ours(&self.flows, place)
                    && let Some((_, flow)) = self.flows.get_mut(&id)
                {
                    flow.content = rewritten(&flow.content);
                    flow.sha256 = Some(digest(&flow.content));
                }
            }
            Change::Ungrant => self.granted.clear(),
        }
    }

    fn changed(&mut self, change: String) {
        self.history.push(change.clone());
        self.changes.push(change);
    }
}

fn statement(permission: &InvokePermission) -> (String, String) {
    (
        permission.function_arn.clone(),
        permission.statement_id.clone(),
    )
}

/// Somebody put this block in front of our first one.
const THEIRS: &str = "somebody-was-here";

fn rewritten(content: &str) -> String {
    let mut flow: Value = serde_json::from_str(content).expect("a flow");
    flow["StartAction"] = json!(THEIRS);
    let block = json!({ "Identifier": THEIRS, "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {} });
    flow["Actions"].as_array_mut().expect("actions").push(block);
    flow.to_string()
}

fn digest(content: &str) -> String {
    format!(
        "service-digest-of-{}-{}",
        content.len(),
        content.bytes().map(u64::from).sum::<u64>()
    )
}

impl ConnectInstance for FakeInstance {
    async fn describe(&self) -> Result<InstanceFacts, AwsError> {
        self.request("connect:DescribeInstance", |_| {
            Ok(InstanceFacts {
                arn: "arn:aws:connect:us-east-1:111122223333:instance/i".to_owned(),
                active: true,
                outbound_calls_enabled: true,
            })
        })
        .await
    }

    async fn flows(&self) -> Result<Vec<FlowSummary>, AwsError> {
        self.request("connect:ListContactFlows", |inside| {
            Ok(inside
                .flows
                .values()
                .filter(|(_, flow)| !inside.unlisted.contains(&flow.id))
                .map(|(flow_type, flow)| FlowSummary {
                    id: flow.id.clone(),
                    name: flow.name.clone(),
                    flow_type: Some(*flow_type),
                    usable: inside.is_usable(flow),
                })
                .collect())
        })
        .await
    }

    async fn flow(&self, flow_id: &str) -> Result<Flow, AwsError> {
        self.request("connect:DescribeContactFlow", |inside| {
            inside.read(flow_id)?;
            if inside.drafts.contains(flow_id) {
                return Err(AwsErrorKind::NotPublished);
            }
            let (_, flow) = inside.flows.get(flow_id).ok_or(AwsErrorKind::NotFound)?;
            Ok(Flow {
                usable: inside.is_usable(flow),
                ..flow.clone()
            })
        })
        .await
    }

    async fn flow_in_hand(&self, flow_id: &str) -> Result<Flow, AwsError> {
        self.flow(flow_id).await
    }

    async fn flow_create(&self, flow: &NewFlow) -> Result<CreatedFlow, AwsError> {
        self.request("connect:CreateContactFlow", |inside| {
            if inside
                .flows
                .values()
                .any(|(_, there)| there.name == flow.name)
            {
                return Err(AwsErrorKind::Duplicate);
            }
            inside.check(&flow.content)?;
            if inside
                .flows_max
                .is_some_and(|max| inside.flows.len() >= max)
            {
                return Err(AwsErrorKind::LimitExceeded);
            }
            inside.next_id += 1;
            let id = format!("flow-{}", inside.next_id);
            inside.changed(format!("create {}", flow.name));
            let made = Flow {
                id: id.clone(),
                name: flow.name.clone(),
                content: flow.content.clone(),
                sha256: Some(digest(&flow.content)),
                tags: flow.tags.clone(),
                usable: true,
            };
            let sha256 = made.sha256.clone();
            inside.flows.insert(id.clone(), (flow.flow_type, made));
            Ok(CreatedFlow { id, sha256 })
        })
        .await
    }

    async fn flow_update(&self, flow_id: &str, content: &str) -> Result<(), AwsError> {
        self.request("connect:UpdateContactFlowContent", |inside| {
            inside.check(content)?;
            let (_, flow) = inside
                .flows
                .get_mut(flow_id)
                .ok_or(AwsErrorKind::NotFound)?;
            if !flow.tags.contains_key("managed-by") {
                return Err(AwsErrorKind::AccessDenied);
            }
            let former = std::mem::replace(&mut flow.content, content.to_owned());
            flow.sha256 = Some(digest(content));
            flow.usable = true;
            let change = format!("update {}", flow.name);
            inside.overwritten.push(former);
            inside.changed(change);
            Ok(())
        })
        .await
    }

    async fn flow_delete(&self, flow_id: &str) -> Result<(), AwsError> {
        self.request("connect:DeleteContactFlow", |inside| {
            let (_, flow) = inside.flows.get(flow_id).ok_or(AwsErrorKind::NotFound)?;
            assert!(
                flow.tags.contains_key("managed-by"),
                "a flow of the customer's would be deleted"
            );
            let mut queues = inside.queues.values();
            let is_used = queues.any(|queue| queue.outbound.flow_id.as_deref() == Some(flow_id));
            assert!(
                !is_used || inside.pointed_at.as_deref() == Some(flow_id),
                "a flow in use would be deleted"
            );
            let change = format!("delete {}", flow.name);
            let content = flow.content.clone();
            inside.deleted.push(content);
            inside.flows.remove(flow_id);
            inside.changed(change);
            Ok(())
        })
        .await
    }

    async fn queues(&self) -> Result<Vec<QueueSummary>, AwsError> {
        self.request("connect:ListQueues", |inside| {
            Ok(inside
                .queues
                .values()
                .filter(|queue| !inside.unlisted.contains(&queue.id))
                .map(|queue| QueueSummary {
                    id: queue.id.clone(),
                    arn: queue.arn.clone(),
                    name: queue.name.clone(),
                })
                .collect())
        })
        .await
    }

    async fn queue(&self, queue_id: &str) -> Result<Queue, AwsError> {
        self.request("connect:DescribeQueue", |inside| {
            inside.read(queue_id)?;
            let queue = inside.queues.get(queue_id);
            queue.cloned().ok_or(AwsErrorKind::NotFound)
        })
        .await
    }

    async fn queue_in_hand(&self, queue_id: &str) -> Result<Queue, AwsError> {
        self.queue(queue_id).await
    }

    async fn queue_set_outbound(
        &self,
        queue_id: &str,
        outbound: &Outbound,
    ) -> Result<(), AwsError> {
        self.request("connect:UpdateQueueOutboundCallerConfig", |inside| {
            if let Some(flow_id) = &outbound.flow_id
                && !inside.flows.contains_key(flow_id)
            {
                return Err(AwsErrorKind::NotFound);
            }
            if let Some(refusal) = inside.fixed_queues.get(queue_id) {
                return Err(refusal.clone());
            }
            let queue = inside
                .queues
                .get_mut(queue_id)
                .ok_or(AwsErrorKind::NotFound)?;
            let former = std::mem::replace(&mut queue.outbound, outbound.clone());
            inside.replaced.insert(queue_id.to_owned(), former.flow_id);
            let change = format!("queue {queue_id}");
            inside.changed(change);
            Ok(())
        })
        .await
    }
}

impl FunctionPermissions for FakeInstance {
    async fn is_granted(&self, permission: &InvokePermission) -> Result<bool, AwsError> {
        self.request("lambda:GetPolicy", |inside| {
            Ok(inside.granted.contains(&statement(permission)))
        })
        .await
    }

    async fn grant(&self, permission: &InvokePermission) -> Result<(), AwsError> {
        self.request("lambda:AddPermission", |inside| {
            if inside.granted.insert(statement(permission)) {
                inside.changed(format!("grant {}", permission.function_arn));
            }
            Ok(())
        })
        .await
    }

    async fn revoke(&self, function_arn: &str, statement_id: &str) -> Result<(), AwsError> {
        self.request("lambda:RemovePermission", |inside| {
            let statement = (function_arn.to_owned(), statement_id.to_owned());
            if inside.granted.remove(&statement) {
                inside.changed(format!("revoke {function_arn}"));
            }
            Ok(())
        })
        .await
    }
}

/// The policy of the fallback function in the customer's account.
#[derive(Debug)]
pub struct FakeFallback(pub FakeInstance);

impl FunctionPermissions for FakeFallback {
    async fn is_granted(&self, permission: &InvokePermission) -> Result<bool, AwsError> {
        self.0
            .request("lambda:GetPolicy on the fallback", |inside| {
                Ok(inside.fallback_granted.contains(&permission.statement_id))
            })
            .await
    }

    async fn grant(&self, permission: &InvokePermission) -> Result<(), AwsError> {
        self.0
            .request("lambda:AddPermission on the fallback", |inside| {
                if !inside.has_fallback {
                    return Err(AwsErrorKind::NotFound);
                }
                let statement_id = permission.statement_id.clone();
                if inside.fallback_granted.insert(statement_id) {
                    inside.changed(format!("grant {}", permission.function_arn));
                }
                Ok(())
            })
            .await
    }

    async fn revoke(&self, function_arn: &str, statement_id: &str) -> Result<(), AwsError> {
        self.0
            .request("lambda:RemovePermission on the fallback", |inside| {
                if inside.fallback_granted.remove(statement_id) {
                    inside.changed(format!("revoke {function_arn}"));
                }
                Ok(())
            })
            .await
    }
}
