//! Routing profiles: which queues their agents can dial from, and whether they take tasks.

use std::collections::BTreeSet;

use aws_sdk_connect::types::{Channel, RoutingProfile as SdkRoutingProfile};

use super::connect::{SdkConnectInstance, incomplete};
use super::error::AwsError;
use super::paging::PAGE_SIZE;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingProfile {
    pub id: String,
    pub name: String,
}

impl SdkConnectInstance {
    pub async fn routing_profiles(&self) -> Result<Vec<RoutingProfile>, AwsError> {
        const ACTION: &str = "connect:ListRoutingProfiles";
        let request = self
            .client
            .list_routing_profiles()
            .instance_id(&self.instance_id)
            .max_results(PAGE_SIZE);
        let page = |token| {
            let page = request.clone().set_next_token(token).send();
            async move { page.await.map_err(|err| AwsError::from_sdk(ACTION, &err)) }
        };
        let pages = self.pages(ACTION, page, |page| page.next_token()).await?;
        let profiles = pages
            .iter()
            .flat_map(|page| page.routing_profile_summary_list());
        let found = profiles.filter_map(|profile| {
            Some(RoutingProfile {
                id: profile.id()?.to_owned(),
                name: profile.name().unwrap_or_default().to_owned(),
            })
        });
        Ok(found.collect())
    }

    /// The queue that agents of this profile dial from unless they choose another.
    pub async fn default_outbound_queue(
        &self,
        profile_id: &str,
    ) -> Result<Option<String>, AwsError> {
        let profile = self.routing_profile(profile_id).await?;
        let queue = profile.default_outbound_queue_id();
        Ok(queue.filter(|id| !id.is_empty()).map(str::to_owned))
    }

    pub async fn routing_profile_takes_tasks(&self, profile_id: &str) -> Result<bool, AwsError> {
        let profile = self.routing_profile(profile_id).await?;
        Ok(profile
            .media_concurrencies()
            .iter()
            .any(|media| *media.channel() == Channel::Task && media.concurrency() > 0))
    }

    async fn routing_profile(&self, profile_id: &str) -> Result<SdkRoutingProfile, AwsError> {
        const ACTION: &str = "connect:DescribeRoutingProfile";
        let request = self
            .client
            .describe_routing_profile()
            .instance_id(&self.instance_id)
            .routing_profile_id(profile_id);
        let answer = self
            .paced(ACTION, || {
                let answer = request.clone().send();
                async move { answer.await.map_err(|err| AwsError::from_sdk(ACTION, &err)) }
            })
            .await?;
        answer.routing_profile.ok_or_else(|| incomplete(ACTION))
    }

    /// Ids of the queues of this profile, each once, for whatever channel: programs of the agents' may dial from any of
    /// them.
    pub async fn routing_profile_queues(&self, profile_id: &str) -> Result<Vec<String>, AwsError> {
        const ACTION: &str = "connect:ListRoutingProfileQueues";
        let request = self
            .client
            .list_routing_profile_queues()
            .instance_id(&self.instance_id)
            .routing_profile_id(profile_id)
            .max_results(PAGE_SIZE);
        let page = |token| {
            let page = request.clone().set_next_token(token).send();
            async move { page.await.map_err(|err| AwsError::from_sdk(ACTION, &err)) }
        };
        let pages = self.pages(ACTION, page, |page| page.next_token()).await?;
        let queues = pages
            .iter()
            .flat_map(|page| page.routing_profile_queue_config_summary_list());
        let ids: BTreeSet<String> = queues.map(|queue| queue.queue_id().to_owned()).collect();
        Ok(ids.into_iter().collect())
    }
}
