//! What a flow does to its contact: dial it, create a task beside it, send it to a queue, end it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::driver::{Driver, Target, Walk, last};
use crate::connect::model::{AGENT_QUEUE_CAPACITY, Contact, Instance, Placement, PlacementOutcome};
use crate::connect::start_task;
use crate::flow::{Flow, NewTask, Run};

impl Driver {
    /// Places the call, unless it is placed already; a task has nobody to ring.
    pub(super) fn dial(&self, caller_id: Option<String>) -> Result<(), &'static str> {
        if !self.voice {
            return Ok(());
        }
        let now = self.world.clock.now();
        self.with(|inner| {
            let prevented = inner.behaviour.stop_prevents_dial;
            let instance = inner.instances.get_mut(&self.instance_arn);
            let contact = instance.and_then(|instance| instance.contacts.get_mut(&self.contact_id));
            let contact = contact.ok_or("ContactEnded")?;
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

    pub(super) fn end(&self) {
        if !self.voice {
            return self
                .with_contact(|contact, now| contact.disconnect(now, "CONTACT_FLOW_DISCONNECT"));
        }
        if self.with(|inner| inner.behaviour.end_without_participant_dials) {
            // A contact that was stopped simply stays undialled.
            let _stopped = self.dial(None);
        }
    }

    pub(super) fn create_task(&self, new: NewTask) -> Option<String> {
        let flow_id = last(new.flow_id.as_deref()?);
        let draws = self.with(|inner| inner.behaviour.create_task_draws_on_quota);
        if draws && !super::take_task_quota(&self.world, &self.account_id, &self.instance_arn) {
            return None;
        }
        let id = self.world.ids.uuid().to_string();
        let now = self.world.clock.now();
        let created = self.with(|inner| {
            let instance = inner.instances.get_mut(&self.instance_arn)?;
            published_flow(instance, &flow_id)?;
            let mut task = Contact::new(id, "TASK", "FLOW", now);
            task.flow_id = Some(flow_id);
            start_task::link(instance, &mut task, None, Some(&self.contact_id)).ok()?;
            task.name = Some(new.name);
            task.description = new.description;
            task.references = new.references;
            task.attributes.extend(new.attributes);
            let task_id = task.id.clone();
            instance.add_contact(task);
            Some(task_id)
        })?;
        super::start_task_flow(&self.world, &self.instance_arn, &created, Duration::ZERO);
        Some(created)
    }

    pub(super) fn set_target(&self, walk: &mut Walk, wanted: Target) {
        let exists = self.with(|inner| {
            inner
                .instances
                .get(&self.instance_arn)
                .is_some_and(|instance| match &wanted {
                    Target::Agent(id) => instance.users.contains_key(id),
                    Target::Queue(id) => instance.queues.contains_key(id),
                })
        });
        if exists {
            walk.target = Some(wanted);
            walk.run.succeed();
        } else {
            walk.run.fail("NoMatchingError");
        }
    }

    /// A transfer that works ends the flow.
    pub(super) fn transfer(&self, walk: &mut Walk) -> ControlFlow<()> {
        let Some(target) = &walk.target else {
            walk.run.fail("NoMatchingError");
            return ControlFlow::Continue(());
        };
        if self.queue(target) {
            walk.run.finish("Transferred");
            return ControlFlow::Break(());
        }
        walk.run.fail("QueueAtCapacity");
        ControlFlow::Continue(())
    }

    fn queue(&self, target: &Target) -> bool {
        self.with(|inner| {
            let Some(instance) = inner.instances.get_mut(&self.instance_arn) else {
                return false;
            };
            let waiting = match target {
                Target::Agent(agent_id) => instance.agent_queue_length(agent_id),
                Target::Queue(_) => 0,
            };
            let Some(contact) = instance.contacts.get_mut(&self.contact_id) else {
                return false;
            };
            match target {
                Target::Queue(queue_id) => {
                    contact.queue_id = Some(queue_id.clone());
                    true
                }
                Target::Agent(agent_id) => {
                    let room = waiting < AGENT_QUEUE_CAPACITY && contact.disconnected_at.is_none();
                    let outcome = if room {
                        PlacementOutcome::Queued
                    } else {
                        PlacementOutcome::AtCapacity
                    };
                    contact.placement = Some(Placement {
                        agent_id: agent_id.clone(),
                        outcome,
                    });
                    room
                }
            }
        })
    }

    pub(super) fn enter(&self, run: &mut Run, flow_id: &str) {
        let flow = self
            .with(|inner| published_flow(inner.instances.get(&self.instance_arn)?, &last(flow_id)));
        match flow {
            Some(flow) => {
                run.finish("Transferred");
                run.enter(flow);
            }
            None => run.fail("NoMatchingError"),
        }
    }
}

pub fn published_flow(instance: &Instance, flow_id: &str) -> Option<Arc<Flow>> {
    let published = instance.flows.get(flow_id)?.published.as_ref()?;
    Some(Arc::clone(&published.flow))
}
