//! Makes an instance as the control API asks for it: queues, agents, and what every instance has from the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::defaults::{DEFAULT_OUTBOUND, flows};
use super::model::{
    Hours, Instance, OutboundCallerConfig, PhoneNumber, Published, Queue, RoutingProfile,
    StoredFlow, Tags, User,
};
use crate::flow::Flow;
use crate::world::World;

const OPEN_TASKS: usize = 2500;

/// An instance to make.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewInstance {
    pub account_id: String,
    pub region: String,
    pub alias: String,
    #[serde(default)]
    pub queues: Vec<NewQueue>,
    #[serde(default)]
    pub agents: Vec<NewAgent>,
    /// How many tasks may be open at once; the service's default where absent.
    pub task_quota: Option<usize>,
}

/// A queue to make.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewQueue {
    pub name: String,
    pub caller_id: Option<String>,
}

/// An agent to make; without queues it serves all of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAgent {
    pub username: String,
    #[serde(default)]
    pub queues: Vec<String>,
    /// Whether the agent's routing profile takes tasks.
    #[serde(default = "yes")]
    pub tasks: bool,
}

fn yes() -> bool {
    true
}

/// Why an instance cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    pub field: String,
    pub message: String,
}

fn refuse(field: impl Into<String>, message: impl Into<String>) -> Refusal {
    Refusal {
        field: field.into(),
        message: message.into(),
    }
}

/// Makes the instance and says what it holds.
pub fn create(world: &Arc<World>, new: &NewInstance) -> Result<Value, Refusal> {
    check(new)?;
    let uuid = || world.ids.uuid().to_string();
    let now = world.clock.now();
    let id = uuid();
    let hours = Hours {
        id: uuid(),
        name: "Basic Hours".to_owned(),
        time_zone: "America/New_York".to_owned(),
        modified_at: now,
    };
    let mut instance = Instance {
        arn: format!(
            "arn:aws:connect:{}:{}:instance/{id}",
            new.region, new.account_id
        ),
        account_id: new.account_id.clone(),
        region: new.region.clone(),
        id,
        alias: new.alias.clone(),
        created_at: now,
        tags: Tags::new(),
        task_quota: new.task_quota.unwrap_or(OPEN_TASKS),
        queues: BTreeMap::new(),
        users: BTreeMap::new(),
        routing_profiles: BTreeMap::new(),
        hours: BTreeMap::from([(hours.id.clone(), hours.clone())]),
        numbers: BTreeMap::new(),
        flows: BTreeMap::new(),
        contacts: BTreeMap::new(),
        contact_order: Vec::new(),
        task_tokens: BTreeMap::new(),
        default_outbound_flow_id: String::new(),
    };
    add_flows(&mut instance, &uuid, now);
    let queue_ids: Vec<String> = new
        .queues
        .iter()
        .map(|queue| add_queue(&mut instance, queue, &hours.id, &uuid, now))
        .collect();
    let by_name = |name: &String| {
        new.queues
            .iter()
            .position(|queue| queue.name == *name)
            .and_then(|at| queue_ids.get(at).cloned())
    };
    let mut agents = Vec::new();
    for agent in &new.agents {
        let served: Vec<String> = if agent.queues.is_empty() {
            queue_ids.clone()
        } else {
            agent.queues.iter().filter_map(by_name).collect()
        };
        agents.push(add_agent(&mut instance, agent, served, &uuid, now));
    }
    let queues: Vec<Value> = queue_ids
        .iter()
        .filter_map(|id| instance.queues.get(id))
        .map(|queue| json!({"id": queue.id, "arn": instance.resource_arn("queue", &queue.id), "name": queue.name}))
        .collect();
    let answer = json!({"instance_arn": instance.arn, "queues": queues, "agents": agents});
    world
        .connect
        .lock()
        .instances
        .insert(instance.arn.clone(), instance);
    Ok(answer)
}

/// A queue that is opened later. No routing profile serves it.
pub fn open_queue(world: &World, instance_arn: &str, new: &NewQueue) -> Result<Value, Refusal> {
    let uuid = || world.ids.uuid().to_string();
    let now = world.clock.now();
    let mut connect = world.connect.lock();
    let instance = connect
        .instances
        .get_mut(instance_arn)
        .ok_or_else(|| refuse("instance_arn", "there is no such instance"))?;
    if new.name.is_empty() || instance.queues.values().any(|queue| queue.name == new.name) {
        return Err(refuse("name", "names are distinct and not empty"));
    }
    let hours_id = instance.hours.keys().next().cloned().unwrap_or_default();
    let id = add_queue(instance, new, &hours_id, &uuid, now);
    Ok(json!({"id": id, "arn": instance.resource_arn("queue", &id), "name": new.name}))
}

fn check(new: &NewInstance) -> Result<(), Refusal> {
    if new.account_id.len() != 12 || !new.account_id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refuse("account_id", "12 digits"));
    }
    if new.region.is_empty()
        || !new
            .region
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    {
        return Err(refuse("region", "the name of a Region"));
    }
    if new.alias.is_empty() || new.alias.len() > 45 {
        return Err(refuse("alias", "1 to 45 characters"));
    }
    let mut names: Vec<&str> = new.queues.iter().map(|queue| queue.name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) || names.iter().any(|name| name.is_empty()) {
        return Err(refuse("queues", "names are distinct and not empty"));
    }
    for (index, agent) in new.agents.iter().enumerate() {
        if agent.username.is_empty()
            || new.agents[..index]
                .iter()
                .any(|other| other.username == agent.username)
        {
            return Err(refuse(
                format!("agents[{index}].username"),
                "names are distinct and not empty",
            ));
        }
        if let Some(queue) = agent
            .queues
            .iter()
            .find(|queue| !names.contains(&queue.as_str()))
        {
            return Err(refuse(
                format!("agents[{index}].queues"),
                format!("there is no queue {queue}"),
            ));
        }
    }
    Ok(())
}

fn add_flows(instance: &mut Instance, uuid: &impl Fn() -> String, now: jiff::Timestamp) {
    for (name, flow_type, content) in flows() {
        let content = content.to_string();
        let Ok(flow) = Flow::parse(&content) else {
            continue;
        };
        let id = uuid();
        if name == DEFAULT_OUTBOUND {
            instance.default_outbound_flow_id.clone_from(&id);
        }
        let flow = StoredFlow {
            arn: instance.resource_arn("contact-flow", &id),
            id: id.clone(),
            name: name.to_owned(),
            description: None,
            flow_type,
            archived: false,
            saved: content.clone(),
            published: Some(Published {
                content,
                flow: Arc::new(flow),
            }),
            versions: BTreeMap::new(),
            tags: Tags::new(),
            modified_at: now,
        };
        instance.flows.insert(id, flow);
    }
}

fn add_queue(
    instance: &mut Instance,
    new: &NewQueue,
    hours_id: &str,
    uuid: &impl Fn() -> String,
    now: jiff::Timestamp,
) -> String {
    let number_id = new.caller_id.as_ref().map(|number| {
        let known = instance
            .numbers
            .values()
            .find(|known| known.number == *number)
            .map(|known| known.id.clone());
        known.unwrap_or_else(|| {
            let id = uuid();
            instance.numbers.insert(
                id.clone(),
                PhoneNumber {
                    id: id.clone(),
                    number: number.clone(),
                },
            );
            id
        })
    });
    let id = uuid();
    let queue = Queue {
        id: id.clone(),
        name: new.name.clone(),
        outbound: OutboundCallerConfig {
            name: Some(new.name.clone()),
            number_id,
            flow_id: None,
        },
        hours_id: hours_id.to_owned(),
        tags: Tags::new(),
        modified_at: now,
    };
    instance.queues.insert(id.clone(), queue);
    id
}

/// Agents who serve the same queues, and take tasks or not, share a routing profile.
fn add_agent(
    instance: &mut Instance,
    new: &NewAgent,
    queue_ids: Vec<String>,
    uuid: &impl Fn() -> String,
    now: jiff::Timestamp,
) -> Value {
    let shared = instance
        .routing_profiles
        .values()
        .find(|profile| profile.queue_ids == queue_ids && profile.takes_tasks == new.tasks)
        .map(|profile| profile.id.clone());
    let routing_profile_id = shared.unwrap_or_else(|| {
        let id = uuid();
        let name = match instance.routing_profiles.len() {
            0 => "Basic Routing Profile".to_owned(),
            count => format!("Routing Profile {}", count + 1),
        };
        let default_outbound_queue_id = queue_ids.first().cloned().unwrap_or_default();
        let profile = RoutingProfile {
            id: id.clone(),
            name,
            default_outbound_queue_id,
            queue_ids,
            takes_tasks: new.tasks,
            tags: Tags::new(),
            modified_at: now,
        };
        instance.routing_profiles.insert(id.clone(), profile);
        id
    });
    let user = User {
        id: uuid(),
        username: new.username.clone(),
        first_name: new.username.clone(),
        last_name: "Agent".to_owned(),
        routing_profile_id,
        state: "Available",
        tags: Tags::new(),
        modified_at: now,
    };
    let answer = json!({"id": user.id, "arn": instance.resource_arn("agent", &user.id), "username": user.username});
    instance.users.insert(user.id.clone(), user);
    answer
}
