//! Drives a flow over a contact: performs what the flow asks for and tells it what came of it.
//!
//! Invariants: a call is dialled at most once, and never after it was stopped (unless a switch says so); an agent's
//! own queue never takes more than its capacity.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::event::lambda_event;
use super::invoke::{Invocation, invoke};
use crate::connect::Inner;
use crate::connect::model::{Contact, LambdaEntry};
use crate::flow::{Effect, LambdaCall, Run};
use crate::world::World;

/// Lambda blocks in a row, with no prompt between them, may take this long in all.
const MAX_LAMBDA_CHAIN: Duration = Duration::from_secs(20);
/// A longer whisper loses its contact.
const MAX_WHISPER: Duration = Duration::from_secs(120);

/// Whose flow is driven, and how.
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

/// A run and what has to be remembered between its effects.
#[derive(Debug)]
pub(super) struct Walk {
    pub run: Run,
    pub target: Option<Target>,
    lambda_chain: Duration,
}

/// Where a transfer would go.
#[derive(Debug)]
pub(super) enum Target {
    Agent(String),
    Queue(String),
}

impl Driver {
    /// Runs the flow to its end and keeps what it did with the contact.
    pub async fn drive(&self, run: Run) {
        let started = Instant::now();
        let mut walk = Walk {
            run,
            target: None,
            lambda_chain: Duration::ZERO,
        };
        while !self.abandoned() {
            if self.voice && started.elapsed() > MAX_WHISPER {
                self.with_contact(|contact, now| contact.disconnect(now, "OTHER"));
                break;
            }
            let effect = walk.run.advance();
            if self.perform(&mut walk, effect).await.is_break() {
                break;
            }
        }
        self.with_contact(|contact, _| {
            if let Some(attributes) = walk.run.document["Attributes"].as_object() {
                contact.attributes.clone_from(attributes);
            }
            contact.steps = walk.run.steps;
            contact.flow_ended = true;
        });
    }

    async fn perform(&self, walk: &mut Walk, effect: Effect) -> ControlFlow<()> {
        match effect {
            Effect::InvokeLambda(call) => self.lambda(walk, &call).await,
            Effect::Dial { caller_id } => {
                walk.lambda_chain = Duration::ZERO;
                match self.dial(caller_id) {
                    Ok(()) => walk.run.succeed(),
                    Err(reason) => walk.run.fail(reason),
                }
            }
            Effect::CreateTask(task) => match self.create_task(task) {
                Some(task_id) => {
                    walk.run.document["Task"] = json!({"ContactId": task_id});
                    walk.run.succeed();
                }
                None => walk.run.fail("NoMatchingError"),
            },
            Effect::TargetAgent(agent) => self.set_target(walk, Target::Agent(last(&agent))),
            Effect::TargetQueue(queue) => self.set_target(walk, Target::Queue(last(&queue))),
            Effect::TransferToQueue => return self.transfer(walk),
            Effect::CheckHours(_) if matches!(walk.target, Some(Target::Agent(_))) => {
                walk.run.fail("NoMatchingError")
            }
            Effect::CheckHours(_) => walk.run.choose("True"),
            Effect::TransferToFlow(flow_id) => self.enter(&mut walk.run, &flow_id),
            Effect::Disconnect | Effect::TooManySteps => {
                self.with_contact(|contact, now| {
                    contact.disconnect(now, "CONTACT_FLOW_DISCONNECT")
                });
                return ControlFlow::Break(());
            }
            Effect::End => {
                self.end();
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    /// Whether the flow stops because its contact was.
    fn abandoned(&self) -> bool {
        self.with(|inner| {
            let continues = inner.behaviour.flow_continues_after_stop;
            let instance = inner.instances.get(&self.instance_arn);
            let contact = instance.and_then(|instance| instance.contacts.get(&self.contact_id));
            !continues && contact.is_none_or(|contact| contact.stopped_by_api)
        })
    }

    async fn lambda(&self, walk: &mut Walk, call: &LambdaCall) {
        let event = lambda_event(
            &walk.run.document,
            &call.parameters,
            self.event_overrides.as_ref(),
        );
        let limit = time_left(call.limit, walk.lambda_chain);
        if limit.is_zero() {
            let error = format!(
                "Functions in a row took longer than {} seconds",
                MAX_LAMBDA_CHAIN.as_secs()
            );
            self.record(LambdaEntry {
                function_arn: call.arn.clone(),
                attempts: 0,
                ms: 0,
                error: Some(error),
                response: None,
            });
            return walk.run.fail("NoMatchingError");
        }
        let invocation = Invocation {
            function_arn: call.arn.clone(),
            limit,
            string_map: call.string_map,
            source_account: self.account_id.clone(),
            source_arn: self.instance_arn.clone(),
            event,
        };
        if call.asynchronous {
            let world = Arc::clone(&self.world);
            tokio::spawn(async move { invoke(&world, &invocation).await });
            return walk.run.succeed();
        }
        let started = Instant::now();
        let mut response = None;
        for _ in 0..self.deliveries {
            let entry = invoke(&self.world, &invocation).await;
            response.clone_from(&entry.response);
            self.record(entry);
        }
        walk.lambda_chain += started.elapsed();
        match response {
            Some(response) => {
                walk.run.document["LambdaInvocation"] = json!({"ResultData": response});
                walk.run.document["External"] = response;
                walk.run.succeed();
            }
            None => walk.run.fail("NoMatchingError"),
        }
    }

    fn record(&self, entry: LambdaEntry) {
        self.with_contact(|contact, _| contact.lambda.push(entry));
    }

    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        act(&mut self.world.connect.lock())
    }

    pub(super) fn with_contact(&self, act: impl FnOnce(&mut Contact, jiff::Timestamp)) {
        let now = self.world.clock.now();
        self.with(|inner| {
            let instance = inner.instances.get_mut(&self.instance_arn);
            if let Some(contact) =
                instance.and_then(|instance| instance.contacts.get_mut(&self.contact_id))
            {
                act(contact, now);
            }
        });
    }
}

/// How long a function may take after others in a row before it.
fn time_left(limit: Duration, chain: Duration) -> Duration {
    limit.min(MAX_LAMBDA_CHAIN.saturating_sub(chain))
}

/// The id at the end of an ARN.
pub(super) fn last(id: &str) -> String {
    id.rsplit('/').next().unwrap_or(id).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_in_a_row_share_twenty_seconds() {
        let seconds = Duration::from_secs;
        assert_eq!(time_left(seconds(8), seconds(0)), seconds(8));
        assert_eq!(time_left(seconds(8), seconds(12)), seconds(8));
        assert_eq!(time_left(seconds(8), seconds(16)), seconds(4));
        assert_eq!(time_left(seconds(8), seconds(20)), seconds(0));
        assert_eq!(time_left(seconds(8), seconds(24)), seconds(0));
    }
}
