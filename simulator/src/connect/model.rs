//! What an Amazon Connect instance holds.
//!
//! Plain data with the few questions that need only itself; no operation, no wire format.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::queues::last_segment;
use crate::flow::{Flow, FlowType, Step};

/// How many contacts an agent's own queue takes.
pub const AGENT_QUEUE_CAPACITY: usize = 10;
/// Contacts beyond this number are forgotten, the oldest ended ones first.
const KEPT_CONTACTS: usize = 20_000;

pub type Tags = BTreeMap<String, String>;

/// An instance and everything in it, by id.
#[derive(Debug, Clone)]
pub struct Instance {
    pub account_id: String,
    pub region: String,
    pub id: String,
    pub arn: String,
    pub alias: String,
    pub created_at: Timestamp,
    pub tags: Tags,
    pub task_quota: usize,
    pub queues: BTreeMap<String, Queue>,
    pub users: BTreeMap<String, User>,
    pub routing_profiles: BTreeMap<String, RoutingProfile>,
    pub hours: BTreeMap<String, Hours>,
    pub numbers: BTreeMap<String, PhoneNumber>,
    pub flows: BTreeMap<String, StoredFlow>,
    pub contacts: BTreeMap<String, Contact>,
    /// In the order of their start.
    pub contact_order: Vec<String>,
    pub task_tokens: BTreeMap<String, String>,
    pub default_outbound_flow_id: String,
}

/// A standard queue; agents' own queues follow from the users.
#[derive(Debug, Clone)]
pub struct Queue {
    pub id: String,
    pub name: String,
    pub outbound: OutboundCallerConfig,
    pub hours_id: String,
    pub tags: Tags,
    pub modified_at: Timestamp,
}

/// What an outbound call from a queue uses.
#[derive(Debug, Clone, Default)]
pub struct OutboundCallerConfig {
    pub name: Option<String>,
    pub number_id: Option<String>,
    pub flow_id: Option<String>,
}

/// An agent.
#[derive(Debug, Clone)]
pub struct User {
    pub id: String,
    pub username: String,
    pub first_name: String,
    pub last_name: String,
    pub routing_profile_id: String,
    pub state: &'static str,
    pub tags: Tags,
    pub modified_at: Timestamp,
}

/// Which queues an agent serves and dials from.
#[derive(Debug, Clone)]
pub struct RoutingProfile {
    pub id: String,
    pub name: String,
    pub default_outbound_queue_id: String,
    pub queue_ids: Vec<String>,
    pub takes_tasks: bool,
    pub tags: Tags,
    pub modified_at: Timestamp,
}

/// Opening hours; the simulator's are always open.
#[derive(Debug, Clone)]
pub struct Hours {
    pub id: String,
    pub name: String,
    pub time_zone: String,
    pub modified_at: Timestamp,
}

/// A number claimed for the instance.
#[derive(Debug, Clone)]
pub struct PhoneNumber {
    pub id: String,
    pub number: String,
}

/// A flow with its draft, its published content and its versions.
#[derive(Debug, Clone)]
pub struct StoredFlow {
    pub id: String,
    pub arn: String,
    pub name: String,
    pub description: Option<String>,
    pub flow_type: FlowType,
    pub archived: bool,
    pub saved: String,
    pub published: Option<Published>,
    pub versions: BTreeMap<u64, FlowVersion>,
    pub tags: Tags,
    pub modified_at: Timestamp,
}

/// Content that passed validation, with its parsed form.
#[derive(Debug, Clone)]
pub struct Published {
    pub content: String,
    pub flow: Arc<Flow>,
}

/// An immutable copy of published content.
#[derive(Debug, Clone)]
pub struct FlowVersion {
    pub content: String,
    pub description: Option<String>,
}

/// A call or a task.
#[derive(Debug, Clone)]
pub struct Contact {
    pub id: String,
    pub initial_contact_id: String,
    pub previous_contact_id: Option<String>,
    pub related_contact_id: Option<String>,
    pub channel: &'static str,
    pub initiation_method: &'static str,
    pub name: Option<String>,
    pub description: Option<String>,
    pub attributes: Map<String, Value>,
    pub references: Value,
    pub queue_id: Option<String>,
    pub agent_id: Option<String>,
    pub flow_id: Option<String>,
    pub customer_endpoint: Option<String>,
    pub system_endpoint: Option<String>,
    pub initiated_at: Timestamp,
    pub scheduled_at: Option<Timestamp>,
    /// When the phone began to ring, or rather was picked up: the simulator's customers answer at once.
    pub connected_at: Option<Timestamp>,
    pub disconnected_at: Option<Timestamp>,
    pub disconnect_reason: Option<&'static str>,
    pub stopped_by_api: bool,
    pub stopped_before_dial: bool,
    pub flow_ended: bool,
    pub placement: Option<Placement>,
    pub client_token: Option<String>,
    pub steps: Vec<Step>,
    pub lambda: Vec<LambdaEntry>,
}

/// What became of a task that its flow sent to an agent's own queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Placement {
    pub agent_id: String,
    pub outcome: PlacementOutcome,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlacementOutcome {
    Queued,
    AtCapacity,
    Completed,
}

/// One delivery of an event to a function.
#[derive(Debug, Clone, Serialize)]
pub struct LambdaEntry {
    pub function_arn: String,
    pub attempts: u32,
    pub ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Value>,
}

impl Instance {
    pub fn resource_arn(&self, kind: &str, id: &str) -> String {
        format!("{}/{kind}/{id}", self.arn)
    }

    pub fn number_arn(&self, number_id: &str) -> String {
        format!(
            "arn:aws:connect:{}:{}:phone-number/{number_id}",
            self.region, self.account_id
        )
    }

    /// The number that calls from this queue show.
    pub fn caller_id(&self, queue: &Queue) -> Option<&str> {
        let id = last_segment(queue.outbound.number_id.as_deref()?);
        let number = self.numbers.get(id)?;
        Some(&number.number)
    }

    /// How many contacts wait in an agent's own queue.
    pub fn agent_queue_length(&self, agent_id: &str) -> usize {
        let waiting = |contact: &&Contact| {
            contact.disconnected_at.is_none()
                && contact.placement.as_ref().is_some_and(|placement| {
                    placement.agent_id == agent_id && placement.outcome == PlacementOutcome::Queued
                })
        };
        self.contacts.values().filter(waiting).count()
    }

    pub fn open_tasks(&self) -> usize {
        self.contacts
            .values()
            .filter(|contact| contact.channel == "TASK" && contact.disconnected_at.is_none())
            .count()
    }

    pub fn add_contact(&mut self, contact: Contact) {
        if self.contacts.len() >= KEPT_CONTACTS {
            let over = |contact: &Contact| {
                contact.flow_ended
                    && (contact.channel == "VOICE" || contact.disconnected_at.is_some())
            };
            if let Some(at) = self
                .contact_order
                .iter()
                .position(|id| self.contacts.get(id).is_none_or(over))
            {
                let oldest = self.contact_order.remove(at);
                self.contacts.remove(&oldest);
            }
        }
        self.contact_order.push(contact.id.clone());
        self.contacts.insert(contact.id.clone(), contact);
    }
}

impl Contact {
    /// A contact that has just begun.
    pub fn new(
        id: String,
        channel: &'static str,
        initiation_method: &'static str,
        at: Timestamp,
    ) -> Self {
        Self {
            initial_contact_id: id.clone(),
            id,
            previous_contact_id: None,
            related_contact_id: None,
            channel,
            initiation_method,
            name: None,
            description: None,
            attributes: Map::new(),
            references: Value::Object(Map::new()),
            queue_id: None,
            agent_id: None,
            flow_id: None,
            customer_endpoint: None,
            system_endpoint: None,
            initiated_at: at,
            scheduled_at: None,
            connected_at: None,
            disconnected_at: None,
            disconnect_reason: None,
            stopped_by_api: false,
            stopped_before_dial: false,
            flow_ended: false,
            placement: None,
            client_token: None,
            steps: Vec::new(),
            lambda: Vec::new(),
        }
    }

    /// Ends the contact; a task that waited for its agent waits no more.
    pub fn disconnect(&mut self, at: Timestamp, reason: &'static str) {
        self.disconnected_at = Some(at);
        self.disconnect_reason = Some(reason);
        if let Some(placement) = self
            .placement
            .as_mut()
            .filter(|placement| placement.outcome == PlacementOutcome::Queued)
        {
            placement.outcome = PlacementOutcome::Completed;
        }
    }

    /// How a call came out.
    pub fn outcome(&self) -> &'static str {
        match (self.connected_at, self.stopped_by_api) {
            (Some(_), false) => "rang",
            (Some(_), true) if self.stopped_before_dial => "rang",
            (Some(_), true) => "stopped_after_ringing",
            (None, true) => "stopped_before_ringing",
            (None, false) if !self.flow_ended => "in_progress",
            (None, false) if self.disconnected_at.is_some() => "dropped",
            (None, false) => "not_dialled",
        }
    }
}

impl StoredFlow {
    pub fn published_content(&self) -> Option<&str> {
        self.published
            .as_ref()
            .map(|published| published.content.as_str())
    }
}
