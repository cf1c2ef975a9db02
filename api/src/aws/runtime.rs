//! The runtime role, tried without doing anything: requests about things that do not exist.

use aws_sdk_connect::Client;

use super::error::AwsError;

/// No contact and no flow of any instance has this id.
const NOWHERE: &str = "00000000-0000-4000-8000-000000000000";

/// Session of a runtime role in one instance.
#[derive(Debug)]
pub struct RuntimeProbe {
    client: Client,
    instance_id: String,
}

impl RuntimeProbe {
    pub(super) fn new(client: Client, instance_id: String) -> Self {
        Self {
            client,
            instance_id,
        }
    }

    /// Always an error where the service works as documented; which one tells whether the permission is there.
    pub async fn stop_contact(&self) -> Result<(), AwsError> {
        self.client
            .stop_contact()
            .instance_id(&self.instance_id)
            .contact_id(NOWHERE)
            .send()
            .await
            .map(drop)
            .map_err(|err| AwsError::from_sdk("connect:StopContact", &err))
    }

    /// As [`Self::stop_contact`].
    pub async fn start_task_contact(&self) -> Result<(), AwsError> {
        self.client
            .start_task_contact()
            .instance_id(&self.instance_id)
            .contact_flow_id(NOWHERE)
            .name("Ringfence permission check")
            .send()
            .await
            .map(drop)
            .map_err(|err| AwsError::from_sdk("connect:StartTaskContact", &err))
    }
}
