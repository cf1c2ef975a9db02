//! Everything the simulator holds, shared by its services.

use std::collections::BTreeMap;

use crate::aws::{AwsError, Caller};
use crate::clock::{Clock, Ids};
use crate::log::Log;
use crate::{connect, iam, lambda};

/// Condition keys of a request and their values.
pub type Context = BTreeMap<String, Vec<String>>;

/// All state; each part guards itself.
#[derive(Debug)]
pub struct World {
    pub iam: iam::State,
    pub connect: connect::State,
    pub lambda: lambda::State,
    pub quotas: Quotas,
    pub log: Log,
    pub clock: Clock,
    pub ids: Ids,
    /// The simulator's own address.
    pub endpoint: String,
}

/// Request rates of accounts.
#[derive(Debug, Default)]
pub struct Quotas;

impl Quotas {
    pub fn take(
        &self,
        _service: &str,
        _operation: &str,
        _account_id: &str,
        _region: &str,
        _now: jiff::Timestamp,
    ) -> bool {
        true
    }
}

impl World {
    pub fn new(endpoint: String, clock: Clock, log: Log) -> Self {
        Self {
            iam: iam::State::default(),
            connect: connect::State::default(),
            lambda: lambda::State::default(),
            quotas: Quotas,
            log,
            clock,
            ids: Ids,
            endpoint,
        }
    }

    /// Whether the caller may do this to all of these.
    pub fn authorize(
        &self,
        caller: &Caller,
        action: &str,
        resources: &[&str],
        context: &Context,
    ) -> Result<(), AwsError> {
        self.iam.authorize(caller, action, resources, context)
    }
}
