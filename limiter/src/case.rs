//! One attempt while it is being decided: what the event said, under which policy, and by when.

use std::sync::Arc;

use jiff::Timestamp;
use ringfence_policy::wire::v1::Snapshot;
use ringfence_policy::{Attempt, Number};
use tokio::time::{Duration, Instant};

use crate::event::Call;
use crate::number;

/// Left at the end of an invocation for the last write and the answer.
const RESERVE: Duration = Duration::from_millis(1000);
/// No flow waits longer for a Lambda block.
const FLOW_WAITS: Duration = Duration::from_secs(8);
/// The times by which things must be done; one set per invocation, handed through every wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    pub(crate) started: Instant,
    pub(crate) decision: Instant,
    /// Stopping and telling end here, so that the record and the answer still get through.
    pub(crate) effects: Instant,
}

impl Deadlines {
    pub(crate) fn starting_now(decision: Duration, invocation: Duration) -> Self {
        let started = Instant::now();
        let effects = invocation.min(FLOW_WAITS).saturating_sub(RESERVE);
        Self {
            started,
            decision: started + decision,
            effects: started + effects.max(decision),
        }
    }

    pub(crate) fn elapsed_ms(&self) -> u32 {
        u32::try_from(self.started.elapsed().as_millis()).unwrap_or(u32::MAX)
    }
}

pub(crate) struct Case {
    pub(crate) call: Call,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) attempt: Attempt,
    pub(crate) now: Timestamp,
    pub(crate) deadlines: Deadlines,
}

impl Case {
    pub(crate) fn new(
        call: Call,
        snapshot: Arc<Snapshot>,
        now: Timestamp,
        deadlines: Deadlines,
    ) -> Self {
        let country = snapshot.policy.default_country();
        let read = |address: &Option<String>| {
            address
                .as_deref()
                .map(|address| number::read(address, country))
        };
        let attempt = Attempt {
            contact: call.contact_key(),
            customer: read(&call.customer_address),
            caller_id: read(&call.caller_id_address),
            dialled: call
                .customer_address
                .as_deref()
                .map(|address| number::dialled(address, country))
                .unwrap_or_default(),
        };
        Self {
            call,
            snapshot,
            attempt,
            now,
            deadlines,
        }
    }

    pub(crate) fn customer(&self) -> Option<&Number> {
        self.attempt.customer.as_ref()
    }
}
