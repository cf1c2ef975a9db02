//! Starting tasks through a customer's runtime role.

use std::collections::BTreeMap;

use aws_sdk_connect::Client;

use super::error::AwsError;

const ACTION: &str = "connect:StartTaskContact";

/// A task that tells an agent something.
#[derive(Clone, Copy)]
pub struct NewTask<'a> {
    pub flow_id: &'a str,
    pub name: &'a str,
    pub description: &'a str,
    pub attributes: &'a BTreeMap<String, String>,
    /// The call that it is about.
    pub related_contact_id: &'a str,
    /// Tasks with the same token are one task.
    pub client_token: &'a str,
}

impl std::fmt::Debug for NewTask<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewTask")
            .field("related_contact_id", &self.related_contact_id)
            .finish_non_exhaustive()
    }
}

/// Session of a runtime role in one instance, good for starting tasks only.
#[derive(Debug)]
pub struct TaskStarter {
    client: Client,
    instance_id: String,
}

impl TaskStarter {
    pub(super) fn new(client: Client, instance_id: String) -> Self {
        Self {
            client,
            instance_id,
        }
    }

    /// The id of the task's own contact.
    pub async fn start(&self, task: &NewTask<'_>) -> Result<String, AwsError> {
        let mut request = self
            .client
            .start_task_contact()
            .instance_id(&self.instance_id)
            .contact_flow_id(task.flow_id)
            .name(task.name)
            .description(task.description)
            .related_contact_id(task.related_contact_id)
            .client_token(task.client_token);
        for (name, value) in task.attributes {
            request = request.attributes(name, value);
        }
        let answer = request
            .send()
            .await
            .map_err(|err| AwsError::from_sdk(ACTION, &err))?;
        answer
            .contact_id
            .ok_or_else(|| AwsError::transient(ACTION, "the answer names no contact"))
    }
}
