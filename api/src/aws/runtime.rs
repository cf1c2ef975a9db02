//! The runtime role, tried without doing anything: requests about things that do not exist.

use aws_sdk_connect::Client;

use super::error::AwsError;
use super::pacing::Pacer;
use crate::domain::pace::Quota;

/// No contact and no flow of any instance has this id.
const NOWHERE: &str = "00000000-0000-4000-8000-000000000000";

/// Session of a runtime role in one instance.
#[derive(Debug)]
pub struct RuntimeProbe {
    client: Client,
    instance_id: String,
    pacer: Pacer,
}

impl RuntimeProbe {
    pub(super) fn new(client: Client, instance_id: String, pacer: Pacer) -> Self {
        Self {
            client,
            instance_id,
            pacer,
        }
    }

    /// Always an error where the service works as documented; which one tells whether the permission is there.
    pub async fn stop_contact(&self) -> Result<(), AwsError> {
        const ACTION: &str = "connect:StopContact";
        let request = || async {
            let request = self
                .client
                .stop_contact()
                .instance_id(&self.instance_id)
                .contact_id(NOWHERE);
            let sent = request.send().await;
            sent.map(drop)
                .map_err(|err| AwsError::from_sdk(ACTION, &err))
        };
        self.pacer.send(ACTION, Quota::Contacts, request).await
    }

    /// As [`Self::stop_contact`].
    pub async fn start_task_contact(&self) -> Result<(), AwsError> {
        const ACTION: &str = "connect:StartTaskContact";
        let request = || async {
            let request = self
                .client
                .start_task_contact()
                .instance_id(&self.instance_id)
                .contact_flow_id(NOWHERE)
                .name("Ringfence permission check");
            let sent = request.send().await;
            sent.map(drop)
                .map_err(|err| AwsError::from_sdk(ACTION, &err))
        };
        self.pacer.send(ACTION, Quota::Tasks, request).await
    }
}
