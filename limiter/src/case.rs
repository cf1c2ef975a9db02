//! One attempt while it is being decided: what the event said, under which policy, and by when.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use ringfence_policy::wire::v1::Snapshot;
use ringfence_policy::{Attempt, Dimension, Mode, Number, Owner, Plan, Policy, Rule, RuleMode};
use tokio::time::{Duration, Instant};

use crate::event::Call;
use crate::metrics::Measures;
use crate::number::Reading;

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
    pub(crate) call: Arc<Call>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) attempt: Attempt,
    pub(crate) now: Timestamp,
    pub(crate) deadlines: Deadlines,
    pub(crate) measures: Arc<Measures>,
    /// The numbers are as typed, so a filter on them tells nothing.
    is_unread: bool,
}

impl Case {
    pub(crate) fn new(
        call: Arc<Call>,
        snapshot: Arc<Snapshot>,
        now: Timestamp,
        deadlines: Deadlines,
        measures: Arc<Measures>,
    ) -> Self {
        let policy = &snapshot.policy;
        let country = policy.default_country();
        let customer = reading(&call.customer_address, country);
        let customer = customer.as_ref();
        let attempt = Attempt {
            customer: customer.map(Reading::number),
            customer_country: customer
                .filter(|_| asks_for_countries(policy))
                .and_then(Reading::country),
            caller_id: reading(&call.caller_id_address, country)
                .as_ref()
                .map(Reading::number),
            dialled: customer.map_or_else(Vec::new, Reading::dialled),
            ..unread(&call, policy)
        };
        Self {
            call,
            snapshot,
            attempt,
            now,
            deadlines,
            measures,
            is_unread: false,
        }
    }

    /// For when reading the numbers failed, or is not needed: they stand as typed.
    pub(crate) fn unread(
        call: Arc<Call>,
        snapshot: Arc<Snapshot>,
        now: Timestamp,
        deadlines: Deadlines,
        measures: Arc<Measures>,
    ) -> Self {
        Self {
            attempt: unread(&call, &snapshot.policy),
            call,
            snapshot,
            now,
            deadlines,
            measures,
            is_unread: true,
        }
    }

    pub(crate) fn owner(&self) -> Owner<'_> {
        Owner {
            instance_arn: &self.snapshot.instance_arn,
            tenant_id: &self.snapshot.tenant_id,
        }
    }

    pub(crate) fn plan(&self) -> Plan<'_> {
        let snapshot = &self.snapshot;
        Plan::new(&snapshot.policy, self.owner(), &self.attempt).beside(&snapshot.limits_elsewhere)
    }

    /// Whether counting could end in a denial: a rule that only watches does not deny because it cannot see.
    pub(crate) fn may_be_denied(&self, plan: &Plan<'_>) -> bool {
        let policy = &self.snapshot.policy;
        let denies = plan.rules().any(|(_, mode, not_applied)| {
            mode == RuleMode::Enforce && (self.is_unread || not_applied.is_none())
        });
        policy.mode() == Mode::Enforce && (denies || self.asks_for_listings(plan))
    }

    /// Numbers are looked up only for tenants that have listed one, and only where it can change the outcome.
    pub(crate) fn asks_for_listings(&self, plan: &Plan<'_>) -> bool {
        self.snapshot.has_listed_numbers
            && self.customer().is_some()
            && !plan.is_emergency()
            && self.snapshot.policy.mode() != Mode::Off
    }

    pub(crate) fn customer(&self) -> Option<&Number> {
        self.attempt.customer.as_ref()
    }
}

fn reading<'t>(address: &'t Option<String>, default_country: &'t str) -> Option<Reading<'t>> {
    let address = address.as_deref()?;
    Some(Reading::of(address, default_country))
}

/// Telling a number's country is work that few policies need.
fn asks_for_countries(policy: &Policy) -> bool {
    let asks = |rule: &Rule| rule.when().destination_countries().len() > 0;
    policy.rules().iter().any(asks)
}

fn unread(call: &Call, policy: &Policy) -> Attempt {
    let typed = |address: &Option<String>| address.clone().map(Number::Raw);
    Attempt {
        contact: call.contact_key(),
        customer: typed(&call.customer_address),
        customer_country: None,
        caller_id: typed(&call.caller_id_address),
        agent: call.agent_arn.clone(),
        queue: call.queue_arn.clone(),
        attributes: attributes(call, policy),
        dialled: call.customer_address.clone().into_iter().collect(),
    }
}

/// Those of the contact's attributes that the policy names.
fn attributes(call: &Call, policy: &Policy) -> BTreeMap<String, String> {
    let counted_per = |rule: &Rule| {
        let per = rule.per().filter_map(|dimension| match dimension {
            Dimension::Attribute(name) => Some(name.as_str().to_owned()),
            _ => None,
        });
        let asked_for = rule.when().attributes();
        per.chain(asked_for.map(|(name, _)| name.as_str().to_owned()))
            .collect::<Vec<String>>()
    };
    let named = policy.rules().iter().flat_map(counted_per);
    named
        .filter_map(|name| {
            call.attribute(&name)
                .map(str::to_owned)
                .map(|value| (name, value))
        })
        .collect()
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
