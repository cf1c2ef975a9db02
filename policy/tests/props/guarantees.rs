//! The guarantees that people are told, each for every kind of limit.

use std::collections::BTreeMap;

use proptest::prelude::*;
use ringfence_policy::{Limit, Log, Plan, Verdict, compact, decide::decide};
use serde_json::Value;

use crate::cases;
use crate::common::{OWNER, World, at, attempt};
use crate::dials::{ask, histories, limits, one, play, policy_of, rules};
use crate::oracle::{in_window, interval_us};

/// Whether these admissions, the last one included, are more than the limit admits.
pub fn exceeds(limit: &Limit, admitted: &[i64]) -> bool {
    let Some((last, before)) = admitted.split_last() else {
        return false;
    };
    match limit {
        Limit::Pace {
            max,
            per_seconds,
            burst,
        } => {
            // So many more than the burst take so many intervals, whichever attempt one begins with.
            let interval_us = interval_us(*max, *per_seconds);
            admitted.iter().rev().zip(1_i64..).any(|(at, attempts)| {
                (last - at) * 1000 < (attempts - i64::from(*burst)) * interval_us
            })
        }
        Limit::UntilQuiet {
            block_at,
            quiet_seconds,
        } => {
            let quiet_ms = i64::from(*quiet_seconds) * 1000;
            let series = admitted
                .windows(2)
                .rev()
                .take_while(|pair| pair[1] - pair[0] <= quiet_ms);
            series.count() as u32 + 1 >= *block_at
        }
        limit => in_window(limit, before, *last) >= limit.admits(),
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn never_more_than_max_in_any_window_and_never_faster_than_the_pace(limit in limits(1..6), history in histories()) {
        let policy = one(&limit);
        let limit = policy.rules()[0].limit();
        let mut admitted: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        let mut latest: BTreeMap<&str, i64> = BTreeMap::new();
        play(&policy, &history, |_, _, dial, now, decision| {
            let now = *latest.entry(dial.customer).and_modify(|at| *at = now.max(*at)).or_insert(now);
            if decision.verdict == Verdict::Allow {
                let admitted = admitted.entry(dial.customer).or_default();
                admitted.push(now);
                assert!(!exceeds(limit, admitted), "{admitted:?}");
            }
        });
    }

    #[test]
    fn denied_until_exactly_retry_at_and_allowed_at_it(rules in rules(3), history in histories()) {
        let policy = policy_of(&rules);
        let mut world = World::default();
        for (number, dial, now) in history.timed() {
            let decision = world.dial(&policy, &attempt(number, dial.customer, dial.caller_id), at(now));
            if decision.verdict == Verdict::Deny {
                let retry_at = decision.deciding.unwrap().retry_at.unwrap().as_millisecond();
                prop_assert_eq!(ask(&world, &policy, 9_000, dial, retry_at - 1).verdict, Verdict::Deny);
                prop_assert_ne!(ask(&world, &policy, 9_000, dial, retry_at).verdict, Verdict::Deny);
            }
        }
    }

    #[test]
    fn order_of_rules_is_irrelevant(rules in rules(4), history in histories()) {
        let forwards = policy_of(&rules);
        let backwards = policy_of(&rules.iter().rev().cloned().collect::<Vec<_>>());
        play(&forwards, &history, |world, number, dial, now, decision| {
            let other = ask(world, &backwards, number, dial, now);
            assert_eq!((decision.verdict, &decision.deciding), (other.verdict, &other.deciding));
        });
    }

    #[test]
    fn adding_a_rule_never_allows_more(rules in rules(4), history in histories()) {
        let all = policy_of(&rules);
        let fewer = policy_of(&rules[1..]);
        play(&all, &history, |world, number, dial, now, decision| {
            if ask(world, &fewer, number, dial, now).verdict == Verdict::Deny {
                assert_eq!(decision.verdict, Verdict::Deny);
            }
        });
    }

    #[test]
    fn shadow_never_changes_an_outcome(rules in rules(4), history in histories()) {
        let with = policy_of(&rules);
        let enforcing: Vec<Value> = rules.iter().filter(|rule| rule["mode"] == "enforce").cloned().collect();
        let without = policy_of(&enforcing);
        let mut other = World::default();
        play(&with, &history, |_, number, dial, now, decision| {
            let alone = other.dial(&without, &attempt(number, dial.customer, dial.caller_id), at(now));
            assert_eq!(decision.verdict == Verdict::Deny, alone.verdict == Verdict::Deny);
        });
    }

    #[test]
    fn a_denied_attempt_charges_no_meter_but_those_of_the_series_that_denied_it(rules in rules(4), history in histories()) {
        let policy = policy_of(&rules);
        play(&policy, &history, |world, number, dial, now, decision| {
            let denied_by = |rule: &ringfence_policy::Rule| decision.rules.iter().any(|outcome| outcome.rule_id == *rule.id() && outcome.denied);
            let series = policy.rules().iter().any(|rule| matches!(rule.limit(), Limit::UntilQuiet { .. }) && denied_by(rule));
            if decision.verdict == Verdict::Deny && !series {
                let counts = |world: &World| {
                    let next = ask(world, &policy, 9_000, dial, now);
                    next.rules.into_iter().map(|outcome| outcome.count).collect::<Vec<_>>()
                };
                let mut after = world.clone();
                after.dial(&policy, &attempt(number, dial.customer, dial.caller_id), at(now));
                assert_eq!(counts(world), counts(&after));
            }
        });
    }

    #[test]
    fn a_contact_delivered_again_counts_once_and_gets_the_same_answer(rules in rules(3), history in histories(), again in 0..60_u64) {
        let policy = policy_of(&rules);
        let again = again % history.dials.len() as u64;
        let mut verdicts = Vec::new();
        let mut world = play(&policy, &history, |_, _, _, _, decision| verdicts.push(decision.verdict));
        let (_, dial, now) = history.timed().nth(again as usize).unwrap();
        let attempt = attempt(again, dial.customer, dial.caller_id);
        let plan = Plan::new(&policy, OWNER, &attempt);
        let before = world.clone();
        world.append(&plan, at(now));
        let decision = world.decide(&plan, at(now));
        if verdicts[again as usize] == Verdict::Deny {
            prop_assert!(decision.denied_before);
        } else {
            prop_assert_eq!(decision.verdict, verdicts[again as usize]);
            prop_assert!(!decision.denied_before);
            let counts = |world: &World| {
                let next = ask(world, &policy, 9_000, dial, now);
                next.rules.into_iter().map(|outcome| outcome.count).collect::<Vec<_>>()
            };
            prop_assert_eq!(counts(&before), counts(&world));
        }
    }

    #[test]
    fn nothing_in_a_meter_makes_the_decision_panic(
        logs in prop::collection::vec(prop::collection::vec(prop::collection::vec(any::<u8>(), 0..30), 0..40), 0..4),
        past in prop::collection::vec(any::<u8>(), 0..60),
        version in any::<bool>(),
        rules in rules(4),
        now in any::<i32>(),
    ) {
        let past = if version { [&[1], past.as_slice()].concat() } else { past };
        let policy = policy_of(&rules);
        let attempt = attempt(1, "+12065550100", "+12065550199");
        let plan = Plan::new(&policy, OWNER, &attempt);
        let logs: Vec<Log> = logs.into_iter().map(|log| Log::decode(Some(&past), log)).collect();
        decide(&plan, &logs, None, at(i64::from(now)));
        for (index, log) in logs.iter().enumerate() {
            compact(&plan, index, log, at(i64::from(now)), 64);
        }
    }
}
