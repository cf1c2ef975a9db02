//! The decision: an attempt's plan, the logs of its meters and the time make a verdict.
//!
//! All or nothing: a denied attempt charges no meter, save those where an enforcing `until_quiet` rule denied it, because
//! that kind counts denied attempts. Shadow rules see the real history and never change the verdict. The order of rules
//! plays no part, and a rule more never allows more.

use jiff::Timestamp;

use crate::count::{Count, Line};
use crate::limit::Limit;
use crate::meter::Log;
use crate::plan::{NotApplied, Plan, PlannedRule, milliseconds};
use crate::rule::{RuleId, RuleMode};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allow,
    /// Allowed, but rules in shadow would have denied it.
    WouldDeny,
    Deny,
    /// Allowed because the number is an emergency number; nothing was counted.
    Emergency,
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

/// The rule whose reason is told: of those that denied (or would have), the one that blocks the longest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deciding {
    pub rule_id: RuleId,
    pub reason: &'static str,
    /// The first time at which no rule would deny, if nobody else tries.
    pub retry_at: Timestamp,
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
}

/// Decides. `logs` are the meters' logs after the reservation was appended, in the order of [`Plan::meters`]; a log in
/// which the attempt does not stand is decided as if it came last, at `now`.
pub fn decide(plan: &Plan<'_>, logs: &[Log], now: Timestamp) -> Decision {
    if plan.emergency {
        return Decision {
            verdict: Verdict::Emergency,
            deciding: None,
            rules: Vec::new(),
            own_entries: Vec::new(),
        };
    }
    let now_ms = milliseconds(now);
    let lines: Vec<Line> = logs
        .iter()
        .map(|log| Line::of(log, plan.contact, now_ms))
        .collect();
    let denying: Vec<&PlannedRule<'_>> = plan
        .rules
        .iter()
        .filter(|planned| count(planned, &lines, true).is_some_and(|count| count.denied))
        .collect();
    let verdict = verdict(&denying);
    let own_entries: Vec<OwnEntry> = (0..plan.meters().len())
        .map(|meter| own_entry(verdict, meter, &denying))
        .collect();
    let counts: Vec<Option<Count>> = plan
        .rules
        .iter()
        .map(|planned| {
            let own = planned.meter.ok().and_then(|meter| own_entries.get(meter));
            count(
                planned,
                &lines,
                own.is_some_and(|own| *own != OwnEntry::Void),
            )
        })
        .collect();
    let rules = plan
        .rules
        .iter()
        .zip(&counts)
        .map(|(planned, count)| rule_outcome(planned, *count))
        .collect();
    Decision {
        verdict,
        deciding: deciding(plan, verdict, &counts),
        rules,
        own_entries,
    }
}

fn count(planned: &PlannedRule<'_>, lines: &[Line], own_counts: bool) -> Option<Count> {
    let line = lines.get(planned.meter.ok()?)?;
    let enforced = planned.mode == RuleMode::Enforce;
    Some(line.count(planned.rule.limit(), enforced, own_counts))
}

fn verdict(denying: &[&PlannedRule<'_>]) -> Verdict {
    if denying.is_empty() {
        Verdict::Allow
    } else if denying
        .iter()
        .any(|planned| planned.mode == RuleMode::Enforce)
    {
        Verdict::Deny
    } else {
        Verdict::WouldDeny
    }
}

fn own_entry(verdict: Verdict, meter: usize, denying: &[&PlannedRule<'_>]) -> OwnEntry {
    if verdict != Verdict::Deny {
        return OwnEntry::Keep;
    }
    let counts_denied = |planned: &&PlannedRule<'_>| {
        planned.meter == Ok(meter)
            && planned.mode == RuleMode::Enforce
            && matches!(planned.rule.limit(), Limit::UntilQuiet { .. })
    };
    if denying.iter().any(counts_denied) {
        OwnEntry::CountAsDenied
    } else {
        OwnEntry::Void
    }
}

fn rule_outcome(planned: &PlannedRule<'_>, count: Option<Count>) -> RuleOutcome {
    let denied = count.filter(|count| count.denied);
    RuleOutcome {
        rule_id: planned.rule.id().clone(),
        mode: planned.mode,
        not_applied: planned.meter.err(),
        count: count.map_or(0, |count| count.count),
        limit: planned.rule.limit().admits(),
        denied: denied.is_some(),
        retry_at: denied
            .and_then(|count| count.blocks_until_ms)
            .map(timestamp),
    }
}

fn deciding(plan: &Plan<'_>, verdict: Verdict, counts: &[Option<Count>]) -> Option<Deciding> {
    let decides = |mode| match verdict {
        Verdict::Deny => mode == RuleMode::Enforce,
        Verdict::WouldDeny => true,
        Verdict::Allow | Verdict::Emergency => false,
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
        rule_id: rule.id().clone(),
        reason: rule.reason(),
        retry_at: timestamp(retry_at_ms),
        stretch: timestamp(count.stretch_ms),
    })
}

fn timestamp(at_ms: u64) -> Timestamp {
    i64::try_from(at_ms)
        .ok()
        .and_then(|at_ms| Timestamp::from_millisecond(at_ms).ok())
        .unwrap_or(Timestamp::MAX)
}
