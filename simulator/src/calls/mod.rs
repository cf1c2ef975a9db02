//! Calls and tasks: an agent dials, a task arrives.
//!
//! [`place`] does what a softphone would make Amazon Connect do: it makes the contact, runs the queue's whisper flow
//! and says what came of it. [`start_task_flow`] runs a task's flow in the background.
//!
//! Failure: a call that names something unknown is refused with the name of the faulty member; nothing has happened then.

mod driver;
mod effects;
mod event;
mod invoke;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::connect::model::{Contact, Instance, LambdaEntry, Queue};
use crate::flow::{Flow, Run};
use crate::world::World;
use driver::Driver;
use effects::published_flow;

/// What an agent does.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRequest {
    pub instance_arn: String,
    pub agent_id: String,
    pub queue_id: Option<String>,
    /// What was typed; absent or null makes an event without a customer.
    #[serde(default)]
    pub to: Option<String>,
    #[serde(default)]
    pub attributes: Map<String, Value>,
    /// How often each event reaches the function, as when Connect retries.
    #[serde(default = "once")]
    pub deliveries: u32,
    /// Merged into the event's contact data.
    #[serde(default)]
    pub event_overrides: Option<Value>,
}

fn once() -> u32 {
    1
}

/// Why a call could not begin.
#[derive(Debug, thiserror::Error)]
#[error("unknown {field}")]
pub struct Unknown {
    pub field: &'static str,
}

/// Dials and waits until the whisper has ended.
pub async fn place(world: &Arc<World>, request: CallRequest) -> Result<Value, Unknown> {
    let started = Instant::now();
    let (driver, run) = begin(world, request)?;
    let (instance_arn, contact_id) = (driver.instance_arn.clone(), driver.contact_id.clone());
    driver.drive(run).await;
    let connect = world.connect.lock();
    let contact = connect
        .instances
        .get(&instance_arn)
        .and_then(|instance| instance.contacts.get(&contact_id));
    let contact = contact.ok_or(Unknown {
        field: "instance_arn",
    })?;
    let mut report = report(contact);
    report["ms"] = json!(started.elapsed().as_millis());
    Ok(report)
}

/// What a call looks like from outside.
pub fn report(contact: &Contact) -> Value {
    json!({
        "contact_id": contact.id,
        "outcome": contact.outcome(),
        "steps": contact.steps,
        "lambda": contact.lambda.iter().map(lambda_entry).collect::<Vec<_>>(),
        "queue_id": contact.queue_id,
        "flow_id": contact.flow_id,
        "to": contact.customer_endpoint,
        "caller_id": contact.system_endpoint,
    })
}

fn lambda_entry(entry: &LambdaEntry) -> Value {
    serde_json::to_value(entry).unwrap_or(Value::Null)
}

fn begin(world: &Arc<World>, request: CallRequest) -> Result<(Driver, Run), Unknown> {
    let id = world.ids.uuid().to_string();
    let now = world.clock.now();
    let mut connect = world.connect.lock();
    let with_country_code = connect.behaviour.emergency_with_country_code;
    let unknown_instance = Unknown {
        field: "instance_arn",
    };
    let instance = connect
        .instances
        .get_mut(&request.instance_arn)
        .ok_or(unknown_instance)?;
    let agent_id = request
        .agent_id
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let user = instance
        .users
        .get_mut(&agent_id)
        .ok_or(Unknown { field: "agent_id" })?;
    user.state = "Available";
    let profile = instance.routing_profiles.get(&user.routing_profile_id);
    let queue_id = match &request.queue_id {
        Some(queue_id) => queue_id.rsplit('/').next().unwrap_or_default().to_owned(),
        None => profile
            .map(|profile| profile.default_outbound_queue_id.clone())
            .unwrap_or_default(),
    };
    let queue = instance
        .queues
        .get(&queue_id)
        .ok_or(Unknown { field: "queue_id" })?;
    let (flow_id, flow) = whisper(instance, queue).ok_or(Unknown { field: "queue_id" })?;
    let mut contact = Contact::new(id.clone(), "VOICE", "OUTBOUND", now);
    contact.system_endpoint = instance.caller_id(queue).map(str::to_owned);
    contact.customer_endpoint = request
        .to
        .as_deref()
        .map(|typed| event::dialled_address(typed, with_country_code));
    contact.attributes = request.attributes;
    contact.flow_id = Some(flow_id);
    contact.queue_id = Some(queue_id);
    contact.agent_id = Some(agent_id);
    let run = Run::new(flow, event::document(instance, &contact));
    let account_id = instance.account_id.clone();
    instance.add_contact(contact);
    drop(connect);
    let driver = Driver {
        world: Arc::clone(world),
        instance_arn: request.instance_arn,
        account_id,
        contact_id: id,
        deliveries: request.deliveries.clamp(1, 100),
        event_overrides: request.event_overrides,
        voice: true,
    };
    Ok((driver, run))
}

/// The queue's whisper, or the instance's default one where the queue names none that is still there.
fn whisper(instance: &Instance, queue: &Queue) -> Option<(String, Arc<Flow>)> {
    let own = queue.outbound.flow_id.as_deref();
    own.into_iter()
        .chain([instance.default_outbound_flow_id.as_str()])
        .find_map(|flow_id| Some((flow_id.to_owned(), published_flow(instance, flow_id)?)))
}

/// Runs a task's flow, after a delay when it was scheduled.
pub fn start_task_flow(world: &Arc<World>, instance_arn: &str, contact_id: &str, delay: Duration) {
    let prepared = {
        let connect = world.connect.lock();
        connect.instances.get(instance_arn).and_then(|instance| {
            let contact = instance.contacts.get(contact_id)?;
            let flow = published_flow(instance, contact.flow_id.as_deref()?)?;
            Some((
                Run::new(flow, event::document(instance, contact)),
                instance.account_id.clone(),
            ))
        })
    };
    let Some((run, account_id)) = prepared else {
        return;
    };
    let driver = Driver {
        world: Arc::clone(world),
        instance_arn: instance_arn.to_owned(),
        account_id,
        contact_id: contact_id.to_owned(),
        deliveries: 1,
        event_overrides: None,
        voice: false,
    };
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        driver.drive(run).await;
    });
}

/// Whether the account may start one more task now, where flows draw on the quota of StartTaskContact.
fn take_task_quota(world: &World, account_id: &str, instance_arn: &str) -> bool {
    let region = instance_arn.split(':').nth(3).unwrap_or_default();
    world.quotas.take(
        "connect",
        "StartTaskContact",
        account_id,
        region,
        world.clock.now(),
    )
}
