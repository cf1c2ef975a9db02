//! What is done in the customer's instance: stop a contact, start a task.
//!
//! An account's quota is small and shared. A stop that is throttled is repeated until the invocation's time is up, because
//! the call goes out otherwise; a task is given up soon, because the quota is the customer's own and an agent waits.

use std::sync::Arc;
use std::time::Duration;

use ringfence_policy::wire::v1::Snapshot;
use tokio::time::timeout_at;

use super::backoff::Backoff;
use super::clients::Aws;
use super::failure::{Class, Failure};
use super::runtime_role::RuntimeRoles;
use crate::case::Case;
use crate::clock::Clock;
use crate::event::InstanceArn;

const TASK_ATTEMPTS: u32 = 3;
const TASK_FIRST_WAIT: Duration = Duration::from_millis(800);
const TASK_TAKES: Duration = Duration::from_millis(2500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    Now,
    /// The contact had ended before.
    Already,
}

/// A task that tells the agent something.
pub(crate) struct Task {
    pub(crate) flow_id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) attributes: Vec<(&'static str, String)>,
    /// Tasks with the same token are one task.
    pub(crate) client_token: String,
}

pub(crate) struct Contacts {
    roles: RuntimeRoles,
}

impl Contacts {
    pub(crate) fn new(aws: Arc<Aws>, clock: Arc<dyn Clock>) -> Self {
        Self {
            roles: RuntimeRoles::new(aws, clock),
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

    /// The id of the task's own contact.
    pub(crate) async fn start_task(
        &self,
        case: &Case,
        task: &Task,
    ) -> Result<Option<String>, Failure> {
        let until = case
            .deadlines
            .effects
            .min(case.deadlines.within(TASK_TAKES));
        let mut backoff =
            Backoff::new(until, &case.call.contact_id).patient(TASK_ATTEMPTS, TASK_FIRST_WAIT);
        loop {
            let failure = match timeout_at(backoff.until(), self.start_task_once(case, task)).await
            {
                Ok(Ok(contact_id)) => return Ok(contact_id),
                Ok(Err(failure)) => failure,
                Err(_) => {
                    return Err(Failure::new(
                        "starting the task",
                        "timeout",
                        Class::Transient,
                    ));
                }
            };
            self.again(failure, &case.call.instance, &mut backoff)
                .await?;
        }
    }

    async fn start_task_once(&self, case: &Case, task: &Task) -> Result<Option<String>, Failure> {
        let instance = &case.call.instance;
        let client = self.roles.client(instance, &case.snapshot).await?;
        let mut request = client
            .start_task_contact()
            .instance_id(&instance.id)
            .contact_flow_id(&task.flow_id)
            .name(&task.name)
            .description(&task.description)
            .related_contact_id(&case.call.contact_id)
            .client_token(&task.client_token);
        for (name, value) in &task.attributes {
            request = request.attributes(*name, value);
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
            Class::Gone | Class::Condition | Class::Permanent => return Err(failure),
        }
        if backoff.wait().await {
            Ok(())
        } else {
            Err(failure)
        }
    }
}
