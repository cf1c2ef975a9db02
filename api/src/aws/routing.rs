//! Which queues agents can dial from: what their routing profiles say.

use super::connect::{SdkConnectInstance, incomplete};
use super::error::AwsError;

/// The service gives no more of a profile's queues in one answer.
const PAGE_SIZE: i32 = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingProfile {
    pub id: String,
    pub name: String,
}

impl SdkConnectInstance {
    pub async fn routing_profiles(&self) -> Result<Vec<RoutingProfile>, AwsError> {
        const ACTION: &str = "connect:ListRoutingProfiles";
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self
                .paced(ACTION, || async {
                    let request = self
                        .client
                        .list_routing_profiles()
                        .instance_id(&self.instance_id)
                        .max_results(PAGE_SIZE)
                        .set_next_token(token.clone());
                    request
                        .send()
                        .await
                        .map_err(|err| AwsError::from_sdk(ACTION, &err))
                })
                .await?;
            let profiles = page.routing_profile_summary_list().iter();
            found.extend(profiles.filter_map(|profile| {
                Some(RoutingProfile {
                    id: profile.id()?.to_owned(),
                    name: profile.name().unwrap_or_default().to_owned(),
                })
            }));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// The queue that agents of this profile dial from unless they choose another.
    pub async fn default_outbound_queue(
        &self,
        profile_id: &str,
    ) -> Result<Option<String>, AwsError> {
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
        let queue = profile.default_outbound_queue_id();
        Ok(queue.filter(|id| !id.is_empty()).map(str::to_owned))
    }

    /// Ids of the queues of this profile, for whatever channel: programs of the agents' may dial from any of them.
    pub async fn routing_profile_queues(&self, profile_id: &str) -> Result<Vec<String>, AwsError> {
        const ACTION: &str = "connect:ListRoutingProfileQueues";
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self
                .paced(ACTION, || async {
                    let request = self
                        .client
                        .list_routing_profile_queues()
                        .instance_id(&self.instance_id)
                        .routing_profile_id(profile_id)
                        .max_results(PAGE_SIZE)
                        .set_next_token(token.clone());
                    request
                        .send()
                        .await
                        .map_err(|err| AwsError::from_sdk(ACTION, &err))
                })
                .await?;
            let queues = page.routing_profile_queue_config_summary_list().iter();
            found.extend(queues.map(|queue| queue.queue_id().to_owned()));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
    }
}
