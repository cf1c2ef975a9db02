//! Limits of other policies that read the same meters: what they need, nobody may forget for them.
//!
//! Only tenant-wide meters are read under more than one policy, where instances have policies of their own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::compact::counts_singly;
use crate::limit::Limit;
use crate::policy::Policy;
use crate::rule::{Rule, Scope};

/// By a rule of the policy in force, the limits that other policies put on the meters it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LimitsElsewhere(pub(crate) BTreeMap<String, Vec<Limit>>);

impl LimitsElsewhere {
    /// What the others add to what the policy's own rules make a meter remember. Limits that need the same are told once,
    /// so that the length depends on how many kinds of limit a tenant has, not on how many policies.
    pub fn of<'o>(policy: &Policy, others: impl IntoIterator<Item = &'o Policy>) -> Self {
        let mut found = Self::default();
        for rule in others.into_iter().flat_map(Policy::rules) {
            found.add(policy, rule);
        }
        found
    }

    fn add(&mut self, policy: &Policy, other: &Rule) {
        if other.scope() != Scope::Tenant {
            return;
        }
        let sharing = || {
            let rules = policy.rules().iter();
            rules.filter(|rule| rule.shares_meters_with(other))
        };
        let Some(first) = sharing().next() else {
            return;
        };
        let needs_more = |known: &Limit| !known.remembers_for(other.limit());
        let told = self.0.get(first.id().as_str()).into_iter().flatten();
        if sharing().map(Rule::limit).chain(told).all(needs_more) {
            let limits = self.0.entry(first.id().as_str().to_owned()).or_default();
            limits.push(other.limit().clone());
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Limit {
    /// Whether whatever is kept for this limit is all that the other one needs.
    fn remembers_for(&self, other: &Self) -> bool {
        let alike = counts_singly(self) == counts_singly(other);
        match (self, other) {
            (
                Self::UntilQuiet { quiet_seconds, .. },
                Self::UntilQuiet {
                    quiet_seconds: others,
                    ..
                },
            ) => quiet_seconds == others,
            (
                Self::Sliding { window_seconds, .. },
                Self::Sliding {
                    window_seconds: others,
                    ..
                },
            ) => alike && window_seconds == others,
            (
                Self::ConsecutiveDays {
                    days, time_zone, ..
                },
                Self::ConsecutiveDays {
                    days: others,
                    time_zone: zone,
                    ..
                },
            ) => alike && (days, time_zone) == (others, zone),
            (
                Self::Calendar {
                    period, time_zone, ..
                },
                Self::Calendar {
                    period: others,
                    time_zone: zone,
                    ..
                },
            ) => alike && (period, time_zone) == (others, zone),
            _ => self == other,
        }
    }
}
