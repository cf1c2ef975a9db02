//! One attempt while it is being decided: what the event said, under which policy, and by when.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use ringfence_policy::wire::v1::Snapshot;
use ringfence_policy::{Attempt, Number, Owner};
use tokio::time::{Duration, Instant};

use crate::event::Call;
use crate::metrics::Measures;
use crate::number;

/// Left unused at the end of an invocation: an answer that comes too late is none.
const SPARED: Duration = Duration::from_millis(700);
/// Left for the last write, after stopping and telling.
const LAST_WRITE: Duration = Duration::from_millis(500);
/// No flow waits longer for a Lambda block.
const FLOW_WAITS: Duration = Duration::from_secs(8);

/// The times by which things must be done; one set per invocation, handed through every wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    started: Instant,
    pub(crate) decision: Instant,
    /// Stopping and telling end here.
    pub(crate) effects: Instant,
    pub(crate) answer: Instant,
}

impl Deadlines {
    pub(crate) fn starting_now(decision: Duration, invocation: Duration) -> Self {
        let started = Instant::now();
        let answer = invocation.min(FLOW_WAITS).saturating_sub(SPARED);
        let decision = decision.min(answer);
        let effects = answer.saturating_sub(LAST_WRITE).max(decision);
        Self {
            started,
            decision: started + decision,
            effects: started + effects,
            answer: started + answer,
        }
    }

    /// A wait from now on that does not hold up the answer.
    pub(crate) fn within(&self, wait: Duration) -> Instant {
        self.answer.min(Instant::now() + wait)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn elapsed_ms(&self) -> u32 {
        u32::try_from(self.elapsed().as_millis()).unwrap_or(u32::MAX)
    }
}

pub(crate) struct Case {
    pub(crate) call: Call,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) attempt: Attempt,
    pub(crate) now: Timestamp,
    pub(crate) deadlines: Deadlines,
    pub(crate) measures: Arc<Measures>,
}

impl Case {
    pub(crate) fn new(
        call: Call,
        snapshot: Arc<Snapshot>,
        now: Timestamp,
        deadlines: Deadlines,
        measures: Arc<Measures>,
    ) -> Self {
        let country = snapshot.policy.default_country();
        let read = |address: &Option<String>| {
            address
                .as_deref()
                .map(|address| number::read(address, country).number)
        };
        let attempt = Attempt {
            contact: call.contact_key(),
            customer: read(&call.customer_address),
            customer_country: None,
            caller_id: read(&call.caller_id_address),
            agent: call.agent_arn.clone(),
            queue: call.queue_arn.clone(),
            attributes: BTreeMap::new(),
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
            measures,
        }
    }

    /// For when reading the numbers failed: they count as typed.
    pub(crate) fn unread(
        call: Call,
        snapshot: Arc<Snapshot>,
        now: Timestamp,
        deadlines: Deadlines,
        measures: Arc<Measures>,
    ) -> Self {
        let typed = |address: &Option<String>| address.clone().map(Number::Raw);
        let attempt = Attempt {
            contact: call.contact_key(),
            customer: typed(&call.customer_address),
            customer_country: None,
            caller_id: typed(&call.caller_id_address),
            agent: call.agent_arn.clone(),
            queue: call.queue_arn.clone(),
            attributes: BTreeMap::new(),
            dialled: call.customer_address.clone().into_iter().collect(),
        };
        Self {
            call,
            snapshot,
            attempt,
            now,
            deadlines,
            measures,
        }
    }

    pub(crate) fn owner(&self) -> Owner<'_> {
        Owner {
            instance_arn: &self.snapshot.instance_arn,
            tenant_id: &self.snapshot.tenant_id,
        }
    }

    pub(crate) fn customer(&self) -> Option<&Number> {
        self.attempt.customer.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_given_before_the_invocation_ends_whatever_it_lasts() {
        for invocation in [3, 8, 60].map(Duration::from_secs) {
            let deadlines = Deadlines::starting_now(Duration::from_millis(1500), invocation);
            let ends = deadlines.started + invocation.min(FLOW_WAITS);
            assert!(deadlines.answer + Duration::from_millis(700) <= ends);
            assert!(
                deadlines.decision <= deadlines.effects && deadlines.effects <= deadlines.answer
            );
        }
    }
}
