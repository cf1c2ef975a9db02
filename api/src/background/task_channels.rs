//! Finds out whether agents who were sent notices take tasks at all: without a task channel in their routing profile the
//! task waits for days, unseen, and the decision must not claim that they were told.
//!
//! Invariants: it only reads, through the installer role and within its account's budget. Failure: where it may not read
//! (a stack older than this question), nothing is claimed; what may pass is asked again a little later.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::aws::{Aws, AwsError, InstanceAccess};
use crate::clock::Clock;
use crate::domain::ids::InstanceId;
use crate::domain::pace::Urgency;
use crate::store::{NoticeAgent, Store, StoreError};

use super::driver::Found;

/// Longer than the two requests take, and the pause before what failed is tried again.
const TAKEN_FOR: SignedDuration = SignedDuration::from_mins(5);
/// Agents share a few profiles: each is asked for once in a while, not once per agent.
const PROFILE_KEPT: SignedDuration = SignedDuration::from_mins(5);

/// Works on agents, one at a time.
#[derive(Debug)]
pub struct TaskChannels {
    store: Store,
    aws: Arc<Aws>,
    clock: Clock,
    profiles: HashMap<(InstanceId, String), (bool, Timestamp)>,
}

impl TaskChannels {
    #[must_use]
    pub fn new(store: Store, aws: Arc<Aws>, clock: Clock) -> Self {
        Self {
            store,
            aws,
            clock,
            profiles: HashMap::new(),
        }
    }

    pub async fn look(&mut self) -> Result<Found, StoreError> {
        let now = self.clock.now();
        let put_off_to = now.checked_add(TAKEN_FOR).unwrap_or(Timestamp::MAX);
        let Some(agent) = self.store.notice_agent_take_due(now, put_off_to).await? else {
            return Ok(Found::Nothing);
        };
        match self.takes_tasks(&agent, now).await {
            Ok(takes_tasks) => {
                self.store
                    .notice_agent_answer(&agent, Some(takes_tasks), now)
                    .await?;
            }
            Err(err) if err.is_retryable() => {
                tracing::info!(instance.id = %agent.instance, error = %err, "an agent could not be looked up; it is tried again");
            }
            Err(err) => {
                tracing::info!(instance.id = %agent.instance, error = %err, "whether an agent takes tasks cannot be known");
                self.store.notice_agent_answer(&agent, None, now).await?;
            }
        }
        Ok(Found::Work)
    }

    async fn takes_tasks(&mut self, agent: &NoticeAgent, now: Timestamp) -> Result<bool, AwsError> {
        let roles = std::slice::from_ref(&agent.installer_role_arn);
        let access = InstanceAccess::ways(&agent.instance_arn, roles, &agent.external_ids);
        let connect = self
            .aws
            .connect_instance(&access, Urgency::Background)
            .await?;
        let profile = connect.agent_routing_profile(agent.agent_id()).await?;
        self.profiles.retain(|_, (_, until)| *until > now);
        let key = (agent.instance, profile);
        if let Some((takes_tasks, _)) = self.profiles.get(&key) {
            return Ok(*takes_tasks);
        }
        let takes_tasks = connect.routing_profile_takes_tasks(&key.1).await?;
        let until = now.checked_add(PROFILE_KEPT).unwrap_or(Timestamp::MAX);
        self.profiles.insert(key, (takes_tasks, until));
        Ok(takes_tasks)
    }
}
