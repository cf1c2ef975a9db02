//! Which rules an attempt meets and which meters they read: what must be known before anything is counted.
//!
//! A plan holds each meter once, however many rules read it.

use jiff::Timestamp;

use crate::attempt::{Attempt, ContactKey};
use crate::dimension::Dimension;
use crate::elsewhere::LimitsElsewhere;
use crate::key::{MeterKey, Owner};
use crate::limit::Limit;
use crate::meter::{Entry, Status};
use crate::policy::{Mode, Policy};
use crate::rule::{Rule, RuleMode};

/// Why a rule says nothing about an attempt: the attempt lacks what the rule counts per, or does not pass its filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotApplied {
    NoCustomer,
    NoCallerId,
    NoAgent,
    NoQueue,
    NoAttribute,
    OtherDestination,
    OtherCallerId,
    OtherQueue,
    OtherAttributes,
}

impl NotApplied {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoCustomer => "no_customer",
            Self::NoCallerId => "no_caller_id",
            Self::NoAgent => "no_agent",
            Self::NoQueue => "no_queue",
            Self::NoAttribute => "no_attribute",
            Self::OtherDestination => "other_destination",
            Self::OtherCallerId => "other_caller_id",
            Self::OtherQueue => "other_queue",
            Self::OtherAttributes => "other_attributes",
        }
    }

    pub(crate) fn lacks(dimension: &Dimension) -> Self {
        match dimension {
            Dimension::Customer => Self::NoCustomer,
            Dimension::CallerId => Self::NoCallerId,
            Dimension::Agent => Self::NoAgent,
            Dimension::Queue => Self::NoQueue,
            Dimension::Attribute(_) => Self::NoAttribute,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct PlannedRule<'p> {
    pub(crate) rule: &'p Rule,
    pub(crate) mode: RuleMode,
    /// The index of its meter in the plan.
    pub(crate) meter: Result<usize, NotApplied>,
}

/// An attempt held against a policy, before counting.
#[derive(Clone, Debug)]
pub struct Plan<'p> {
    pub(crate) contact: ContactKey,
    pub(crate) mode: Mode,
    pub(crate) emergency: bool,
    pub(crate) rules: Vec<PlannedRule<'p>>,
    meters: Vec<MeterKey>,
    elsewhere: Option<&'p LimitsElsewhere>,
}

impl<'p> Plan<'p> {
    pub fn new(policy: &'p Policy, owner: Owner<'_>, attempt: &Attempt) -> Self {
        let mut plan = Self {
            contact: attempt.contact,
            mode: policy.mode(),
            emergency: policy.is_emergency(attempt),
            rules: Vec::new(),
            meters: Vec::new(),
            elsewhere: None,
        };
        if plan.emergency || policy.mode() == Mode::Off {
            return plan;
        }
        for rule in policy.rules() {
            let meter = rule.meter_of(owner, attempt).map(|key| plan.index_of(key));
            let mode = policy.effective_mode(rule);
            plan.rules.push(PlannedRule { rule, mode, meter });
        }
        plan
    }

    /// The same, where other policies read some of the meters as well.
    #[must_use]
    pub fn beside(self, elsewhere: &'p LimitsElsewhere) -> Self {
        Self {
            elsewhere: Some(elsewhere),
            ..self
        }
    }

    fn index_of(&mut self, key: MeterKey) -> usize {
        if let Some(index) = self.meters.iter().position(|meter| *meter == key) {
            return index;
        }
        self.meters.push(key);
        self.meters.len().saturating_sub(1)
    }

    /// Whether the number dialled is one that is never counted and never denied.
    pub fn is_emergency(&self) -> bool {
        self.emergency
    }

    /// Every rule with its effective mode, and why it says nothing where it does not.
    pub fn rules(&self) -> impl Iterator<Item = (&'p Rule, RuleMode, Option<NotApplied>)> {
        self.rules.iter().map(|planned| {
            (
                planned.rule,
                planned.mode,
                planned.meter.as_ref().err().copied(),
            )
        })
    }

    /// The meters to append [`Plan::entry`] to; logs are handed to [`crate::decide::decide`] in this order.
    pub fn meters(&self) -> &[MeterKey] {
        &self.meters
    }

    /// The entry that reserves a place in every meter.
    pub fn entry(&self, now: Timestamp) -> Entry {
        Entry {
            status: Status::Admitted,
            at_ms: milliseconds(now),
            contact: self.contact,
        }
    }

    /// How long the longest limit of a meter remembers an attempt.
    pub fn memory_seconds(&self, meter: usize) -> u32 {
        self.limits_of(meter)
            .map(Limit::memory_seconds)
            .max()
            .unwrap_or(0)
    }

    /// The limits for which a meter remembers: those of this policy and those elsewhere.
    pub(crate) fn limits_of(&self, meter: usize) -> impl Iterator<Item = &'p Limit> {
        let rules = self
            .rules
            .iter()
            .filter(move |planned| planned.meter == Ok(meter));
        rules.flat_map(|planned| {
            let elsewhere = self
                .elsewhere
                .and_then(|elsewhere| elsewhere.0.get(planned.rule.id().as_str()));
            std::iter::once(planned.rule.limit()).chain(elsewhere.into_iter().flatten())
        })
    }
}

/// Milliseconds since 1970; times before it are as good as 1970 to a meter.
pub(crate) fn milliseconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}
