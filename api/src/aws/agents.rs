//! Agents: which routing profile they have.

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
}
