//! Everything the simulator holds, shared by its services.

use std::path::PathBuf;

use crate::aws::{AwsError, Caller};
use crate::clock::{Clock, Ids};
use crate::control::Stacks;
use crate::faults::{Faults, Holds};
use crate::log::Log;
use crate::quotas::Quotas;
use crate::{connect, dynamodb, iam, lambda};

pub use crate::iam::condition::Context;

/// All state; each part guards itself.
#[derive(Debug)]
pub struct World {
    pub iam: iam::State,
    pub connect: connect::State,
    pub lambda: lambda::State,
    pub dynamodb: dynamodb::State,
    pub quotas: Quotas,
    pub faults: Faults,
    pub holds: Holds,
    pub stacks: Stacks,
    pub log: Log,
    pub clock: Clock,
    pub ids: Ids,
    /// The simulator's own address.
    pub endpoint: String,
}

impl World {
    /// `folder` is where databases are kept, in memory where there is none.
    pub fn new(endpoint: String, clock: Clock, log: Log, folder: Option<PathBuf>) -> Self {
        Self {
            iam: iam::State::default(),
            connect: connect::State::default(),
            lambda: lambda::State::default(),
            dynamodb: dynamodb::State::new(folder),
            quotas: Quotas::default(),
            faults: Faults::default(),
            holds: Holds::default(),
            stacks: Stacks::default(),
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
