//! What is done in the customer's instance: stop a contact, start a task.
//!
//! An account's quota is small and shared. A stop that is throttled is repeated until the invocation's time is up, because
//! the call goes out otherwise; a task is left to the control plane soon, because the quota is the customer's own and an agent waits.

use std::sync::Arc;
use std::time::Duration;

use ringfence_policy::wire::v1::{DeferredNotice, Snapshot};
use tokio::time::timeout_at;

use super::backoff::Backoff;
use super::clients::Aws;
use super::failure::{Class, Failure};
use super::policies::PolicyTable;
use super::runtime_role::{self, RuntimeRoles};
use crate::case::Case;
use crate::clock::Clock;
use crate::event::InstanceArn;

const TASK_ATTEMPTS: u32 = 2;
const TASK_FIRST_WAIT: Duration = Duration::from_millis(600);
const TASK_TAKES: Duration = Duration::from_millis(1800);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    Now,
    /// The contact had ended before.
    Already,
}

/// A task that tells the agent something. Tasks with the same token are one task.
pub(crate) struct Task {
    pub(crate) flow_id: String,
    pub(crate) content: DeferredNotice,
}

/// What became of a task.
pub(crate) enum Started {
    /// With the id of its own contact.
    Now(Option<String>),
    /// The same request may pass some other time, or has passed and its answer was lost.
    Later(Failure),
    /// Refused for good.
    Never(Failure),
}

pub(crate) struct Contacts {
    roles: RuntimeRoles,
}

impl Contacts {
    pub(crate) fn new(aws: Arc<Aws>, clock: Arc<dyn Clock>, policies: PolicyTable) -> Self {
        Self {
            roles: RuntimeRoles::new(aws, clock, policies),
        }
    }

    pub(crate) async fn stop(&self, case: &Case) -> Result<Stopped, Failure> {
        let mut backoff = Backoff::new(case.deadlines.effects, &case.call.contact_id);
        loop {
            let attempt =
                self.stop_once(&case.call.instance, &case.snapshot, &case.call.contact_id);
            let failure = match timeout_at(backoff.until(), attempt).await {
                Ok(Ok(())) => return Ok(Stopped::Now),
                Ok(Err(failure)) if failure.class == Class::Gone => return Ok(Stopped::Already),
                Ok(Err(failure)) => failure,
                Err(_) => {
                    return Err(Failure::new(
                        "stopping the contact",
                        "timeout",
                        Class::Transient,
                    ));
                }
            };
            self.again(failure, &case.call.instance, &mut backoff)
                .await?;
        }
    }

    async fn stop_once(
        &self,
        instance: &InstanceArn,
        snapshot: &Snapshot,
        contact_id: &str,
    ) -> Result<(), Failure> {
        let client = self.roles.client(instance, snapshot).await?;
        let request = client
            .stop_contact()
            .instance_id(&instance.id)
            .contact_id(contact_id);
        request
            .send()
            .await
            .map(|_| ())
            .map_err(|err| Failure::of("stopping the contact", &err))
    }

    pub(crate) async fn start_task(&self, case: &Case, task: &Task) -> Started {
        let until = case
            .deadlines
            .effects
            .min(case.deadlines.within(TASK_TAKES));
        let mut backoff =
            Backoff::new(until, &case.call.contact_id).patient(TASK_ATTEMPTS, TASK_FIRST_WAIT);
        loop {
            let failure = match timeout_at(backoff.until(), self.start_task_once(case, task)).await
            {
                Ok(Ok(contact_id)) => return Started::Now(contact_id),
                Ok(Err(failure)) => failure,
                Err(_) => Failure::new("starting the task", "timeout", Class::Transient),
            };
            if let Err(failure) = self.again(failure, &case.call.instance, &mut backoff).await {
                return given_up(failure);
            }
        }
    }

    async fn start_task_once(&self, case: &Case, task: &Task) -> Result<Option<String>, Failure> {
        let instance = &case.call.instance;
        let client = self.roles.client(instance, &case.snapshot).await?;
        let content = &task.content;
        let mut request = client
            .start_task_contact()
            .instance_id(&instance.id)
            .contact_flow_id(&task.flow_id)
            .name(&content.name)
            .description(&content.description)
            .related_contact_id(&case.call.contact_id)
            .client_token(&content.client_token);
        for (name, value) in &content.attributes {
            request = request.attributes(name, value);
        }
        let answer = request
            .send()
            .await
            .map_err(|err| Failure::of("starting the task", &err))?;
        Ok(answer.contact_id)
    }

    /// Waits where asking again can help; gives the failure back where it cannot, or time is up.
    async fn again(
        &self,
        failure: Failure,
        instance: &InstanceArn,
        backoff: &mut Backoff,
    ) -> Result<(), Failure> {
        match failure.class {
            Class::Credentials => self.roles.forget(instance),
            Class::Transient => {}
            Class::Full | Class::Gone | Class::Condition | Class::Permanent => return Err(failure),
        }
        if backoff.wait().await {
            Ok(())
        } else {
            Err(failure)
        }
    }
}

/// A role can be put right while a notice waits, and tasks that are open can be done.
fn given_up(failure: Failure) -> Started {
    let may_pass = matches!(
        failure.class,
        Class::Transient | Class::Full | Class::Credentials
    ) || failure.operation == runtime_role::OPERATION;
    if may_pass {
        Started::Later(failure)
    } else {
        Started::Never(failure)
    }
}
