//! What would become of a call now: the limiters' own decision, on what stands in the meters, leaving nothing there.

use std::collections::BTreeMap;
use std::fmt;

use futures::future::try_join_all;
use jiff::Timestamp;
use ringfence_policy::decide::decide;
use ringfence_policy::{
    Attempt, ContactKey, Decision, Listing, Log, MeterKey, Owner, Plan, Policy, Scope,
};

use crate::aws::{Aws, AwsError};
use crate::domain::instance_arn::InstanceArn;
use crate::domain::phone::Dialled;

/// The tables are the limiters' first of all.
const METERS_AT_ONCE: usize = 8;

/// A call as somebody describes it: numbers as an agent would dial them.
#[derive(Clone, Default)]
pub struct Call {
    pub customer_number: Option<String>,
    pub caller_id: Option<String>,
    pub agent_arn: Option<String>,
    pub queue_arn: Option<String>,
    pub attributes: BTreeMap<String, String>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call(…)")
    }
}

impl Call {
    /// As limiters would see it under this policy.
    #[must_use]
    pub fn attempt(self, policy: &Policy, contact: ContactKey) -> Attempt {
        let country = policy.default_country();
        let customer = self
            .customer_number
            .map(|typed| Dialled::read(&typed, country));
        Attempt {
            contact,
            customer_country: customer
                .as_ref()
                .and_then(|dialled| dialled.country.clone()),
            dialled: customer
                .as_ref()
                .map(|dialled| dialled.forms.clone())
                .unwrap_or_default(),
            customer: customer.map(|dialled| dialled.number),
            caller_id: self
                .caller_id
                .map(|typed| Dialled::read(&typed, country).number),
            agent: self.agent_arn,
            queue: self.queue_arn,
            attributes: self.attributes,
        }
    }
}

/// Where a call would go out.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub tenant_id: &'a str,
    pub instance: &'a InstanceArn,
    /// Where what the tenant counts over all its instances is kept.
    pub home_region: &'a str,
}

/// Decides on `attempt` without reserving anything.
pub async fn check(
    aws: &Aws,
    place: Place<'_>,
    policy: &Policy,
    attempt: &Attempt,
    listing: Option<&Listing>,
    now: Timestamp,
) -> Result<Decision, AwsError> {
    let instance_arn = place.instance.to_string();
    let owner = Owner {
        instance_arn: &instance_arn,
        tenant_id: place.tenant_id,
    };
    let plan = Plan::new(policy, owner, attempt);
    let mut logs = Vec::new();
    for some in plan.meters().chunks(METERS_AT_ONCE) {
        logs.extend(try_join_all(some.iter().map(|key| read(aws, place, key))).await?);
    }
    Ok(decide(&plan, &logs, listing, now))
}

async fn read(aws: &Aws, place: Place<'_>, key: &MeterKey) -> Result<Log, AwsError> {
    let region = match key.scope() {
        Scope::Instance => place.instance.region(),
        Scope::Tenant => place.home_region,
    };
    aws.meters(region).read(key).await
}
