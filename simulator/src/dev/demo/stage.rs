//! What the scenes see once everybody is onboarded.

use serde_json::Value;

use super::super::customer::Customer;
use super::super::sim::Sim;
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

#[derive(Debug)]
pub struct Instance {
    pub tenant: &'static str,
    pub part: &'static InstancePart,
    pub customer: Customer,
    /// Queue id and what the queue was configured with before Ringfence came.
    pub queues_before: Vec<(String, Value)>,
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
