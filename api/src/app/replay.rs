//! A candidate policy over attempts that were made: what it would have denied. Pure.
//!
//! Every attempt is taken as if nobody had denied it before, and the meters begin empty. Attributes are not on record, so
//! rules that ask for one do not apply.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use ringfence_policy::decide::decide;
use ringfence_policy::{
    Attempt, ContactKey, Deciding, Decision, Log, MeterKey, Owner, Plan, Policy, Verdict, compact,
};

/// How many denials are shown.
const EXAMPLES_MAX: usize = 20;
/// A log is compacted whenever its length is a multiple of this.
const COMPACTED_EVERY: usize = 64;

/// One attempt, as it is on record.
#[derive(Debug, Clone)]
pub struct Recorded<I> {
    pub id: I,
    pub at: Timestamp,
    pub instance_arn: String,
    pub attempt: Attempt,
}

#[derive(Debug, Clone)]
pub struct Denial<I> {
    pub id: I,
    pub at: Timestamp,
    pub rule_id: Option<String>,
    pub retry_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub struct Replayed<I> {
    pub attempts: usize,
    pub denied: usize,
    /// By the rule whose reason would have been told.
    pub by_rule: BTreeMap<String, usize>,
    /// The first ones.
    pub examples: Vec<Denial<I>>,
}

/// `attempts` come in the order of their times. None: `stopped` said that nobody waits any more.
pub fn replay<I>(
    policy: &Policy,
    tenant_id: &str,
    attempts: impl Iterator<Item = Recorded<I>>,
    stopped: impl Fn() -> bool,
) -> Option<Replayed<I>> {
    // A policy in shadow is replayed to see what it would do: were its denials not to keep anything out, they would go
    // on counting, and deny more than the policy will.
    let policy = &policy.clone().enforcing();
    let mut meters = Meters::default();
    let mut replayed = Replayed {
        attempts: 0,
        denied: 0,
        by_rule: BTreeMap::new(),
        examples: Vec::new(),
    };
    for recorded in attempts {
        if stopped() {
            return None;
        }
        replayed.attempts += 1;
        let owner = Owner {
            instance_arn: &recorded.instance_arn,
            tenant_id,
        };
        let plan = Plan::new(policy, owner, &recorded.attempt);
        let decision = meters.decide(&plan, recorded.at);
        if decision.verdict == Verdict::Deny {
            replayed.deny(recorded.id, recorded.at, decision.deciding);
        }
    }
    Some(replayed)
}

impl<I> Replayed<I> {
    fn deny(&mut self, id: I, at: Timestamp, deciding: Option<Deciding>) {
        self.denied += 1;
        let rule_id = deciding
            .as_ref()
            .and_then(|deciding| deciding.rule_id.as_ref())
            .map(ToString::to_string);
        if let Some(rule_id) = &rule_id {
            *self.by_rule.entry(rule_id.clone()).or_default() += 1;
        }
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(Denial {
                id,
                at,
                rule_id,
                retry_at: deciding.and_then(|deciding| deciding.retry_at),
            });
        }
    }
}

/// What the limiters' tables would hold.
#[derive(Default)]
struct Meters(HashMap<MeterKey, Log>);

impl Meters {
    fn decide(&mut self, plan: &Plan<'_>, at: Timestamp) -> Decision {
        for key in plan.meters() {
            let log = self.0.entry(key.clone()).or_default();
            log.push(plan.entry(at));
        }
        let logs: Vec<&Log> = plan
            .meters()
            .iter()
            .filter_map(|key| self.0.get(key))
            .collect();
        let decision = decide(plan, &logs, None, at);
        for (index, (key, own)) in plan.meters().iter().zip(&decision.own_entries).enumerate() {
            let Some(log) = self.0.get_mut(key) else {
                continue;
            };
            if let Some(status) = own.mark() {
                log.mark_last(status);
            }
            // As the limiters do, lest each attempt goes through all that were before it.
            if log.places().len().is_multiple_of(COMPACTED_EVERY)
                && let Some(compaction) = compact(plan, index, log, at, usize::MAX)
            {
                log.apply(&compaction);
            }
        }
        decision
    }
}

/// Any contact of its own: attempts of a replay are told apart by their place.
#[must_use]
pub fn contact(place: usize) -> ContactKey {
    let mut key = [0; 16];
    let bytes = place.to_be_bytes();
    if let Some(end) = key.get_mut(16 - bytes.len()..) {
        end.copy_from_slice(&bytes);
    }
    ContactKey(key)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use ringfence_policy::{Number, PolicyDraft};
    use serde_json::json;

    use super::*;

    fn attempts(numbers: &[(&str, i64)]) -> Vec<Recorded<usize>> {
        let begin: Timestamp = "2026-11-25T12:00:00Z".parse().expect("a time");
        let recorded = |(place, (number, second)): (usize, &(&str, i64))| Recorded {
            id: place,
            at: begin + SignedDuration::from_secs(*second),
            instance_arn: "arn:aws:connect:us-east-1:1:instance/i".to_owned(),
            attempt: Attempt {
                contact: contact(place),
                customer: Some(Number::E164((*number).to_owned())),
                customer_country: None,
                caller_id: None,
                agent: None,
                queue: None,
                attributes: BTreeMap::new(),
                dialled: Vec::new(),
            },
        };
        numbers.iter().enumerate().map(recorded).collect()
    }

    fn policy(mode: &str, rule_mode: &str) -> Policy {
        let draft: PolicyDraft = serde_json::from_value(json!({ "mode": mode, "rules": [{
            "id": "two-a-minute", "mode": rule_mode, "per": ["customer"], "limit": { "kind": "sliding", "max": 2, "window_seconds": 60 },
        }] }))
        .expect("a draft");
        draft.check().expect("a policy")
    }

    fn replayed(policy: &Policy, made: &[(&str, i64)]) -> Replayed<usize> {
        replay(policy, "ten_1", attempts(made).into_iter(), || false).expect("to the end")
    }

    #[test]
    fn a_policy_in_shadow_or_with_rules_in_shadow_is_replayed_as_if_it_enforced() {
        let made = [
            ("+1", 0),
            ("+2", 1),
            ("+1", 2),
            ("+1", 3),
            ("+1", 61),
            ("+1", 62),
        ];
        for (mode, rule_mode) in [
            ("enforce", "enforce"),
            ("shadow", "enforce"),
            ("enforce", "shadow"),
            ("shadow", "shadow"),
        ] {
            let replayed = replayed(&policy(mode, rule_mode), &made);
            let denied: Vec<usize> = replayed.examples.iter().map(|example| example.id).collect();
            // What is denied charges nothing, so that the fifth finds one before it and the sixth two, one of them too old.
            assert_eq!(denied, [3], "{mode}, {rule_mode}");
            assert_eq!((replayed.attempts, replayed.denied), (6, 1));
            assert_eq!(replayed.by_rule["two-a-minute"], 1);
        }
    }

    #[test]
    fn a_log_keeps_no_more_than_its_rules_need() {
        let policy = policy("enforce", "enforce");
        let mut meters = Meters::default();
        let made: Vec<(&str, i64)> = (0..2000).map(|second| ("+1", second)).collect();
        for recorded in attempts(&made) {
            let owner = Owner {
                instance_arn: &recorded.instance_arn,
                tenant_id: "ten_1",
            };
            let plan = Plan::new(&policy, owner, &recorded.attempt);
            meters.decide(&plan, recorded.at);
        }
        let longest = meters.0.values().map(|log| log.places().len()).max();
        assert!(longest < Some(2 * COMPACTED_EVERY), "{longest:?}");
    }

    #[test]
    fn what_is_forgotten_changes_no_decision() {
        let quiet: PolicyDraft = serde_json::from_value(json!({ "rules": [{
            "id": "until-quiet", "per": ["customer"],
            "limit": { "kind": "until_quiet", "block_at": 3, "quiet_seconds": 60 },
        }] }))
        .expect("a draft");
        let quiet = quiet.check().expect("a policy");
        // The series began long before it would have been quiet, and never ended.
        let made: Vec<(&str, i64)> = (0..1000).map(|place| ("+1", place * 50)).collect();
        assert_eq!(replayed(&quiet, &made).denied, 998);
        // Of each six in 66 seconds, two go out.
        let made: Vec<(&str, i64)> = (0..1200).map(|place| ("+1", place * 11)).collect();
        let replayed = replayed(&policy("enforce", "enforce"), &made);
        assert_eq!(replayed.denied, 800);
    }

    #[test]
    fn a_replay_that_nobody_waits_for_any_more_ends_at_once() {
        let seen = std::cell::Cell::new(0);
        let stopped = || {
            seen.set(seen.get() + 1);
            seen.get() > 2
        };
        let made = attempts(&[("+1", 0), ("+1", 1), ("+1", 2), ("+1", 3), ("+1", 4)]);
        let policy = policy("enforce", "enforce");
        assert!(replay(&policy, "ten_1", made.into_iter(), stopped).is_none());
        assert_eq!(seen.get(), 3);
    }
}
