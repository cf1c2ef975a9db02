//! The decision: an attempt's plan, the logs of its meters, its listing and the time make a verdict.
//!
//! All or nothing: a denied attempt charges no meter, save those where an enforcing `until_quiet` rule denied it, because
//! that kind counts denied attempts. Shadow rules see the real history and never change the verdict. The order of rules
//! plays no part, and a rule more never allows more. An emergency number goes out whatever is listed; a block entry denies
//! and an exemption admits whatever the rules find, and neither leaves anything in a meter.

use std::borrow::Borrow;

use jiff::Timestamp;

use crate::count::{Count, Line};
use crate::limit::Limit;
use crate::listing::{List, Listing};
use crate::meter::{Log, Status};
use crate::plan::{NotApplied, Plan, PlannedRule, milliseconds};
use crate::policy::Mode;
use crate::rule::{RuleId, RuleMode};

/// Why a number on the block list is denied: the word a flow compares.
const BLOCKED: &str = "blocked";

/// A block entry has no stretch of its own, so its denials are told once a day.
const BLOCK_STRETCH_MS: u64 = 24 * 60 * 60 * 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allow,
    /// Allowed, but rules in shadow, or a block entry under a policy in shadow, would have denied it.
    WouldDeny,
    Deny,
    /// Allowed because the number is an emergency number; nothing was counted.
    Emergency,
    /// Allowed because the tenant exempted the number; nothing stays counted.
    Exempt,
}

/// What one rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleOutcome {
    pub rule_id: RuleId,
    /// Shadow also where the whole policy is.
    pub mode: RuleMode,
    pub not_applied: Option<NotApplied>,
    /// Attempts that stood before this one and counted.
    pub count: u32,
    /// How many the rule admits.
    pub limit: u32,
    pub denied: bool,
    /// The attempt goes, and is the one that comes near to the limit ([`Limit::near_at`]).
    pub near: bool,
    /// The first time at which the rule would admit, if nobody else tries; only when denied.
    pub retry_at: Option<Timestamp>,
}

/// What becomes of the attempt's reservation in one meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnEntry {
    Keep,
    /// It counts for nothing.
    Void,
    /// It counts as a denied attempt.
    CountAsDenied,
}

impl OwnEntry {
    /// What the reservation has to be marked as, if anything.
    pub fn mark(self) -> Option<Status> {
        match self {
            Self::Keep => None,
            Self::Void => Some(Status::Void),
            Self::CountAsDenied => Some(Status::Denied),
        }
    }
}

/// Whose reason is told: a block entry's, else that of the rule which, of those that denied (or would have), blocks the
/// longest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deciding {
    /// Absent where a block entry decided.
    pub rule_id: Option<RuleId>,
    pub reason: &'static str,
    /// The first time at which nothing would deny, if nobody else tries; absent where a block entry has no end.
    pub retry_at: Option<Timestamp>,
    /// Names the stretch of denials: the same for every redial until the rule admits again, so that it is told once.
    pub stretch: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    pub deciding: Option<Deciding>,
    /// In the policy's order.
    pub rules: Vec<RuleOutcome>,
    /// In the order of [`Plan::meters`].
    pub own_entries: Vec<OwnEntry>,
    /// The logs show that an earlier delivery of this attempt was denied. Such marks are removed after some seconds, and
    /// say nothing where the attempt is exempt now.
    pub denied_before: bool,
}

impl Decision {
    /// Whether the attempt comes near to the limit of any rule.
    pub fn is_near(&self) -> bool {
        self.rules.iter().any(|outcome| outcome.near)
    }
}

/// Decides. `logs` are the meters' logs after the reservation was appended, in the order of [`Plan::meters`]; a log in
/// which the attempt does not stand is decided as if it came last, at `now`.
pub fn decide<L: Borrow<Log>>(
    plan: &Plan<'_>,
    logs: &[L],
    listing: Option<&Listing>,
    now: Timestamp,
) -> Decision {
    if plan.emergency {
        return Decision {
            verdict: Verdict::Emergency,
            deciding: None,
            rules: Vec::new(),
            own_entries: Vec::new(),
            denied_before: false,
        };
    }
    let now_ms = milliseconds(now);
    let lines: Vec<Line<'_>> = logs
        .iter()
        .map(|log| Line::of(log.borrow(), plan.contact, now_ms))
        .collect();
    let listing = listing.filter(|listing| plan.mode != Mode::Off && listing.holds(now));
    let mut decision = match listing {
        Some(listing) if listing.list == List::Exemption => exempt(plan, &lines),
        Some(listing) => blocked(plan, &lines, listing, now_ms),
        None => by_rules(plan, &lines),
    };
    if matches!(decision.verdict, Verdict::Allow | Verdict::WouldDeny) {
        tell_what_is_near(plan, &mut decision.rules);
    }
    decision
}

/// Of an attempt that stays in its meters. Of all that take a place in a line one after another, one finds just so many before it.
fn tell_what_is_near(plan: &Plan<'_>, outcomes: &mut [RuleOutcome]) {
    for (planned, outcome) in plan.rules.iter().zip(outcomes) {
        let number = outcome.count.saturating_add(1);
        outcome.near = planned.rule.limit().near_at() == Some(number);
    }
}

fn by_rules(plan: &Plan<'_>, lines: &[Line<'_>]) -> Decision {
    let mut counts = counts(plan, lines, &[]);
    let verdict = verdict(plan, &counts);
    let own_entries = own_entries(plan, verdict, &counts);
    if verdict != Verdict::Allow {
        // How long a series blocks depends on whether this attempt goes on with it.
        counts = self::counts(plan, lines, &own_entries);
    }
    Decision {
        verdict,
        deciding: deciding(plan, verdict, &counts),
        rules: outcomes(plan, &counts),
        own_entries,
        denied_before: denied_before(lines),
    }
}

fn exempt(plan: &Plan<'_>, lines: &[Line<'_>]) -> Decision {
    let mut rules = outcomes(plan, &counts(plan, lines, &[]));
    for outcome in &mut rules {
        (outcome.denied, outcome.retry_at) = (false, None);
    }
    Decision {
        verdict: Verdict::Exempt,
        deciding: None,
        rules,
        own_entries: vec![OwnEntry::Void; plan.meters().len()],
        denied_before: false,
    }
}

fn blocked(plan: &Plan<'_>, lines: &[Line<'_>], listing: &Listing, now_ms: u64) -> Decision {
    let ruled = by_rules(plan, lines);
    let (verdict, own_entries) = match plan.mode {
        Mode::Enforce => (Verdict::Deny, vec![OwnEntry::Void; plan.meters().len()]),
        Mode::Shadow | Mode::Off => (Verdict::WouldDeny, ruled.own_entries),
    };
    let by_rules = ruled.deciding.and_then(|deciding| deciding.retry_at);
    Decision {
        verdict,
        deciding: Some(Deciding {
            rule_id: None,
            reason: BLOCKED,
            retry_at: listing
                .expires_at
                .map(|expires_at| by_rules.map_or(expires_at, |later| later.max(expires_at))),
            stretch: timestamp(
                now_ms.saturating_sub(now_ms.checked_rem(BLOCK_STRETCH_MS).unwrap_or(0)),
            ),
        }),
        rules: ruled.rules,
        own_entries,
        denied_before: denied_before(lines),
    }
}

fn denied_before(lines: &[Line<'_>]) -> bool {
    lines.iter().any(|line| line.denied_before)
}

/// What each rule counts, in the plan's order; `own_entries` tells in which meters the attempt itself will count.
fn counts(plan: &Plan<'_>, lines: &[Line<'_>], own_entries: &[OwnEntry]) -> Vec<Option<Count>> {
    plan.rules
        .iter()
        .map(|planned| {
            let meter = planned.meter.ok()?;
            let own_counts = own_entries
                .get(meter)
                .is_some_and(|own| *own != OwnEntry::Void);
            let enforced = planned.mode == RuleMode::Enforce;
            Some(
                lines
                    .get(meter)?
                    .count(planned.rule.limit(), enforced, own_counts),
            )
        })
        .collect()
}

fn denying<'p>(
    plan: &'p Plan<'_>,
    counts: &'p [Option<Count>],
) -> impl Iterator<Item = &'p PlannedRule<'p>> {
    let denied = |count: &Option<Count>| count.is_some_and(|count| count.denied);
    plan.rules
        .iter()
        .zip(counts)
        .filter(move |(_, count)| denied(count))
        .map(|(planned, _)| planned)
}

fn verdict(plan: &Plan<'_>, counts: &[Option<Count>]) -> Verdict {
    let mut verdict = Verdict::Allow;
    for planned in denying(plan, counts) {
        match planned.mode {
            RuleMode::Enforce => return Verdict::Deny,
            RuleMode::Shadow => verdict = Verdict::WouldDeny,
        }
    }
    verdict
}

fn own_entries(plan: &Plan<'_>, verdict: Verdict, counts: &[Option<Count>]) -> Vec<OwnEntry> {
    if verdict != Verdict::Deny {
        return vec![OwnEntry::Keep; plan.meters().len()];
    }
    let mut own_entries = vec![OwnEntry::Void; plan.meters().len()];
    for planned in denying(plan, counts) {
        let counts_denied = planned.mode == RuleMode::Enforce
            && matches!(planned.rule.limit(), Limit::UntilQuiet { .. });
        if counts_denied
            && let Some(own) = planned
                .meter
                .ok()
                .and_then(|meter| own_entries.get_mut(meter))
        {
            *own = OwnEntry::CountAsDenied;
        }
    }
    own_entries
}

fn outcomes(plan: &Plan<'_>, counts: &[Option<Count>]) -> Vec<RuleOutcome> {
    plan.rules
        .iter()
        .zip(counts)
        .map(|(planned, count)| outcome(planned, *count))
        .collect()
}

fn outcome(planned: &PlannedRule<'_>, count: Option<Count>) -> RuleOutcome {
    let denied = count.filter(|count| count.denied);
    RuleOutcome {
        rule_id: planned.rule.id().clone(),
        mode: planned.mode,
        not_applied: planned.meter.err(),
        count: count.map_or(0, |count| count.count),
        limit: planned.rule.limit().admits(),
        denied: denied.is_some(),
        near: false,
        retry_at: denied
            .and_then(|count| count.blocks_until_ms)
            .map(timestamp),
    }
}

fn deciding(plan: &Plan<'_>, verdict: Verdict, counts: &[Option<Count>]) -> Option<Deciding> {
    let decides = |mode| match verdict {
        Verdict::Deny => mode == RuleMode::Enforce,
        Verdict::WouldDeny => true,
        Verdict::Allow | Verdict::Emergency | Verdict::Exempt => false,
    };
    let blocking = || {
        let counted = plan
            .rules
            .iter()
            .zip(counts)
            .filter(|(planned, _)| decides(planned.mode));
        counted.filter_map(|(planned, count)| {
            Some((planned.rule, (*count)?, (*count)?.blocks_until_ms?))
        })
    };
    // Equal times are told apart by the id, so that the order of rules plays no part.
    let (rule, count, _) = blocking().filter(|(_, count, _)| count.denied).max_by(
        |(one, _, until), (other, _, later)| {
            until.cmp(later).then_with(|| other.id().cmp(one.id()))
        },
    )?;
    let retry_at_ms = blocking().map(|(_, _, until)| until).max()?;
    Some(Deciding {
        rule_id: Some(rule.id().clone()),
        reason: rule.reason(),
        retry_at: Some(timestamp(retry_at_ms)),
        stretch: timestamp(count.stretch_ms),
    })
}

fn timestamp(at_ms: u64) -> Timestamp {
    i64::try_from(at_ms)
        .ok()
        .and_then(|at_ms| Timestamp::from_millisecond(at_ms).ok())
        .unwrap_or(Timestamp::MAX)
}
