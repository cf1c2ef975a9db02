//! What the scenes see once everybody is onboarded.

use serde_json::Value;

use super::super::aws::Aws;
use super::super::rest::Rest;
use super::super::sim::{AgentMade, InstanceMade, QueueMade, Sim};
use super::super::{DevError, Result};
use super::cast::InstancePart;

#[derive(Debug)]
pub struct Stage {
    pub sim: Sim,
    pub tenants: Vec<Tenant>,
}

#[derive(Debug)]
pub struct Tenant {
    pub name: &'static str,
    pub api_key: String,
    pub instances: Vec<Instance>,
}

pub struct Instance {
    pub tenant: &'static str,
    pub part: &'static InstancePart,
    pub id: String,
    pub made: InstanceMade,
    /// With the tenant's own key.
    pub rest: Rest,
    /// As the customer's administrator.
    pub admin: Aws,
    /// Queue id and what the queue was configured with before Ringfence came.
    pub queues_before: Vec<(String, Value)>,
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance")
            .field("alias", &self.part.alias)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Stage {
    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.tenants.iter().flat_map(|tenant| &tenant.instances)
    }

    pub fn instance(&self, alias: &str) -> Result<&Instance> {
        self.instances()
            .find(|instance| instance.part.alias == alias)
            .ok_or_else(|| DevError::Unexpected(format!("no instance {alias} on the stage")))
    }
}

impl Instance {
    pub fn agent(&self, username: &str) -> Result<&AgentMade> {
        let found = self
            .made
            .agents
            .iter()
            .find(|agent| agent.username == username);
        found.ok_or_else(|| {
            DevError::Unexpected(format!("no agent {username} at {}", self.part.alias))
        })
    }

    pub fn queue(&self, name: &str) -> Result<&QueueMade> {
        let found = self.made.queues.iter().find(|queue| queue.name == name);
        found.ok_or_else(|| DevError::Unexpected(format!("no queue {name} at {}", self.part.alias)))
    }

    /// The id inside the ARN, by which Amazon Connect's operations name the instance.
    pub fn connect_id(&self) -> &str {
        self.made
            .instance_arn
            .rsplit('/')
            .next()
            .unwrap_or_default()
    }
}
