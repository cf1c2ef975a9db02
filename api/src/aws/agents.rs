//! Whether an agent takes tasks: what the agent's routing profile says.

use aws_sdk_connect::types::Channel;

use super::connect::{SdkConnectInstance, incomplete};
use super::error::AwsError;

impl SdkConnectInstance {
    /// The id of the agent's routing profile.
    pub async fn agent_routing_profile(&self, agent_id: &str) -> Result<String, AwsError> {
        const ACTION: &str = "connect:DescribeUser";
        let answer = self
            .paced(ACTION, || async {
                let request = self
                    .client
                    .describe_user()
                    .instance_id(&self.instance_id)
                    .user_id(agent_id);
                request
                    .send()
                    .await
                    .map_err(|err| AwsError::from_sdk(ACTION, &err))
            })
            .await?;
        answer
            .user()
            .and_then(|user| user.routing_profile_id())
            .map(str::to_owned)
            .ok_or_else(|| incomplete(ACTION))
    }

    pub async fn routing_profile_takes_tasks(&self, profile_id: &str) -> Result<bool, AwsError> {
        const ACTION: &str = "connect:DescribeRoutingProfile";
        let answer = self
            .paced(ACTION, || async {
                let request = self
                    .client
                    .describe_routing_profile()
                    .instance_id(&self.instance_id)
                    .routing_profile_id(profile_id);
                request
                    .send()
                    .await
                    .map_err(|err| AwsError::from_sdk(ACTION, &err))
            })
            .await?;
        let profile = answer.routing_profile().ok_or_else(|| incomplete(ACTION))?;
        Ok(profile
            .media_concurrencies()
            .iter()
            .any(|media| *media.channel() == Channel::Task && media.concurrency() > 0))
    }
}
