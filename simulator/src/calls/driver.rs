//! Drives a flow over a contact: performs what the flow asks for and tells it what came of it.
//!
//! Invariants: a call is dialled at most once, and never after it was stopped (unless a switch says so); an agent's
//! own queue never takes more than its capacity.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::event::lambda_event;
use super::invoke::{Invocation, invoke};
use crate::connect::model::{AGENT_QUEUE_CAPACITY, Contact, Instance, LambdaEntry, Placement, PlacementOutcome};
use crate::connect::{Inner, start_task};
use crate::flow::{Effect, Run};
use crate::world::World;

/// Lambda blocks in a row, with no prompt between them, may take this long in all.
const MAX_LAMBDA_CHAIN: Duration = Duration::from_secs(20);
/// A longer whisper loses its contact.
const MAX_WHISPER: Duration = Duration::from_secs(120);

/// One contact on its way through its flow.
#[derive(Debug)]
pub struct Driver {
    pub world: Arc<World>,
    pub instance_arn: String,
    pub account_id: String,
    pub contact_id: String,
    /// How often each event is delivered.
    pub deliveries: u32,
    pub event_overrides: Option<Value>,
    pub voice: bool,
}

enum Target {
    Agent(String),
    Queue(String),
}

impl Driver {
    /// Runs the flow to its end and keeps what it did with the contact.
    pub async fn drive(&self, mut run: Run) {
        let started = Instant::now();
        let mut chain = Duration::ZERO;
        let mut target = None;
        loop {
            if self.abandoned() {
                break;
            }
            if self.voice && started.elapsed() > MAX_WHISPER {
                self.with_contact(|contact, now| contact.disconnect(now, "OTHER"));
                break;
            }
            match run.advance() {
                Effect::InvokeLambda { arn, limit, asynchronous, parameters, string_map } => {
                    let event = lambda_event(&run.document, &parameters, self.event_overrides.as_ref());
                    let limit = limit.min(MAX_LAMBDA_CHAIN.saturating_sub(chain));
                    let before = Instant::now();
                    self.lambda(&mut run, &arn, limit, asynchronous, string_map, event).await;
                    chain += before.elapsed();
                }
                Effect::Dial { caller_id } => {
                    chain = Duration::ZERO;
                    match self.dial(caller_id) {
                        Ok(()) => run.succeed(),
                        Err(reason) => run.fail(reason),
                    }
                }
                Effect::CreateTask { name, description, flow_id, attributes, references } => {
                    let task = self.create_task(flow_id.as_deref(), |contact| {
                        contact.name = Some(name);
                        contact.description = description;
                        contact.references = references;
                        contact.attributes.extend(attributes);
                    });
                    match task {
                        Some(task_id) => {
                            run.document["Task"] = json!({"ContactId": task_id});
                            run.succeed();
                        }
                        None => run.fail("NoMatchingError"),
                    }
                }
                Effect::TargetAgent(agent) => self.set_target(&mut run, &mut target, Target::Agent(last(&agent))),
                Effect::TargetQueue(queue) => self.set_target(&mut run, &mut target, Target::Queue(last(&queue))),
                Effect::TransferToQueue => {
                    if self.transfer(target.as_ref()) {
                        run.finish("Transferred");
                        break;
                    }
                    run.fail(if target.is_some() { "QueueAtCapacity" } else { "NoMatchingError" });
                }
                Effect::CheckHours(_) if matches!(target, Some(Target::Agent(_))) => run.fail("NoMatchingError"),
                Effect::CheckHours(_) => run.choose("True"),
                Effect::TransferToFlow(flow_id) => self.enter(&mut run, &flow_id),
                Effect::Disconnect | Effect::TooManySteps => {
                    self.with_contact(|contact, now| contact.disconnect(now, "CONTACT_FLOW_DISCONNECT"));
                    break;
                }
                Effect::End => {
                    self.end();
                    break;
                }
            }
        }
        self.with_contact(|contact, _| {
            if let Some(attributes) = run.document["Attributes"].as_object() {
                contact.attributes.clone_from(attributes);
            }
            contact.steps = run.steps;
            contact.flow_ended = true;
        });
    }

    /// Whether the flow stops because its contact was.
    fn abandoned(&self) -> bool {
        self.with(|inner| {
            !inner.behaviour.flow_continues_after_stop
                && contact(inner, &self.instance_arn, &self.contact_id).is_none_or(|contact| contact.stopped_by_api)
        })
    }

    async fn lambda(&self, run: &mut Run, arn: &str, limit: Duration, asynchronous: bool, string_map: bool, event: Value) {
        if limit.is_zero() {
            let error = format!("Functions in a row took longer than {} seconds", MAX_LAMBDA_CHAIN.as_secs());
            self.record(LambdaEntry { function_arn: arn.to_owned(), attempts: 0, ms: 0, error: Some(error), response: None });
            return run.fail("NoMatchingError");
        }
        if asynchronous {
            let (world, arn) = (Arc::clone(&self.world), arn.to_owned());
            let (account, instance) = (self.account_id.clone(), self.instance_arn.clone());
            tokio::spawn(async move {
                let (source_account, source_arn) = (account.as_str(), instance.as_str());
                invoke(&world, &Invocation { function_arn: &arn, limit, string_map, source_account, source_arn, event: &event }).await
            });
            return run.succeed();
        }
        let invocation = Invocation {
            function_arn: arn,
            limit,
            string_map,
            source_account: &self.account_id,
            source_arn: &self.instance_arn,
            event: &event,
        };
        let mut response = None;
        for _ in 0..self.deliveries {
            let entry = invoke(&self.world, &invocation).await;
            response.clone_from(&entry.response);
            self.record(entry);
        }
        match response {
            Some(response) => {
                run.document["LambdaInvocation"] = json!({"ResultData": response});
                run.document["External"] = response;
                run.succeed();
            }
            None => run.fail("NoMatchingError"),
        }
    }

    fn record(&self, entry: LambdaEntry) {
        self.with_contact(|contact, _| contact.lambda.push(entry));
    }

    /// Places the call, unless it is placed already; a task has nobody to ring.
    fn dial(&self, caller_id: Option<String>) -> Result<(), &'static str> {
        if !self.voice {
            return Ok(());
        }
        let now = self.world.clock.now();
        self.with(|inner| {
            let prevented = inner.behaviour.stop_prevents_dial;
            let contact = contact_mut(inner, &self.instance_arn, &self.contact_id).ok_or("ContactEnded")?;
            if contact.disconnected_at.is_some() && prevented {
                return Err("ContactEnded");
            }
            if contact.connected_at.is_none() {
                contact.connected_at = Some(now);
                contact.system_endpoint = caller_id.or_else(|| contact.system_endpoint.take());
            }
            Ok(())
        })
    }

    fn end(&self) {
        if !self.voice {
            return self.with_contact(|contact, now| contact.disconnect(now, "CONTACT_FLOW_DISCONNECT"));
        }
        if self.with(|inner| inner.behaviour.end_without_participant_dials) {
            // A contact that was stopped simply stays undialled.
            drop(self.dial(None));
        }
    }

    fn create_task(&self, flow_id: Option<&str>, fill: impl FnOnce(&mut Contact)) -> Option<String> {
        let flow_id = last(flow_id?);
        let draws = self.with(|inner| inner.behaviour.create_task_draws_on_quota);
        if draws && !super::take_task_quota(&self.world, &self.account_id, &self.instance_arn) {
            return None;
        }
        let id = self.world.ids.uuid().to_string();
        let now = self.world.clock.now();
        let created = self.with(|inner| {
            let instance = inner.instances.get_mut(&self.instance_arn)?;
            instance.flows.get(&flow_id)?.published.as_ref()?;
            let mut task = Contact::new(id, "TASK", "FLOW", now);
            task.flow_id = Some(flow_id);
            start_task::link(instance, &mut task, None, Some(&self.contact_id)).ok()?;
            fill(&mut task);
            let task_id = task.id.clone();
            instance.add_contact(task);
            Some(task_id)
        })?;
        super::start_task_flow(&self.world, &self.instance_arn, &created, Duration::ZERO);
        Some(created)
    }

    fn set_target(&self, run: &mut Run, target: &mut Option<Target>, wanted: Target) {
        let exists = self.with(|inner| {
            inner.instances.get(&self.instance_arn).is_some_and(|instance| match &wanted {
                Target::Agent(id) => instance.users.contains_key(id),
                Target::Queue(id) => instance.queues.contains_key(id),
            })
        });
        if exists {
            *target = Some(wanted);
            run.succeed();
        } else {
            run.fail("NoMatchingError");
        }
    }

    fn transfer(&self, target: Option<&Target>) -> bool {
        self.with(|inner| {
            let Some(instance) = inner.instances.get_mut(&self.instance_arn) else { return false };
            let waiting = match target {
                Some(Target::Agent(agent_id)) => instance.agent_queue_length(agent_id),
                _ => 0,
            };
            let Some(contact) = instance.contacts.get_mut(&self.contact_id) else { return false };
            match target {
                None => false,
                Some(Target::Queue(queue_id)) => {
                    contact.queue_id = Some(queue_id.clone());
                    true
                }
                Some(Target::Agent(agent_id)) => {
                    let room = waiting < AGENT_QUEUE_CAPACITY && contact.disconnected_at.is_none();
                    let outcome = if room { PlacementOutcome::Queued } else { PlacementOutcome::AtCapacity };
                    contact.placement = Some(Placement { agent_id: agent_id.clone(), outcome });
                    room
                }
            }
        })
    }

    fn enter(&self, run: &mut Run, flow_id: &str) {
        let flow = self.with(|inner| published_flow(inner.instances.get(&self.instance_arn)?, &last(flow_id)));
        match flow {
            Some(flow) => {
                run.finish("Transferred");
                run.enter(flow);
            }
            None => run.fail("NoMatchingError"),
        }
    }

    fn with<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        act(&mut self.world.connect.lock())
    }

    fn with_contact(&self, act: impl FnOnce(&mut Contact, jiff::Timestamp)) {
        let now = self.world.clock.now();
        self.with(|inner| {
            if let Some(contact) = contact_mut(inner, &self.instance_arn, &self.contact_id) {
                act(contact, now);
            }
        });
    }
}

pub fn published_flow(instance: &Instance, flow_id: &str) -> Option<Arc<crate::flow::Flow>> {
    let published = instance.flows.get(flow_id)?.published.as_ref()?;
    Some(Arc::clone(&published.flow))
}

fn contact<'i>(inner: &'i Inner, instance_arn: &str, contact_id: &str) -> Option<&'i Contact> {
    inner.instances.get(instance_arn)?.contacts.get(contact_id)
}

fn contact_mut<'i>(inner: &'i mut Inner, instance_arn: &str, contact_id: &str) -> Option<&'i mut Contact> {
    inner.instances.get_mut(instance_arn)?.contacts.get_mut(contact_id)
}

/// The id at the end of an ARN.
fn last(id: &str) -> String {
    id.rsplit('/').next().unwrap_or(id).to_owned()
}
