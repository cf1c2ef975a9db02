//! Limits above 256: never more than the maximum, and at worst 1/64 of the window too strict.

use std::collections::BTreeMap;

use proptest::prelude::*;
use ringfence_policy::{Limit, Verdict};
use serde_json::json;

use crate::cases;
use crate::common::{World, at, attempt};
use crate::dials::{Dial, History, calendar, compact, days, history, policy_of};
use crate::oracle::in_window;

const CUSTOMER: &str = "+12065550100";

fn to_one_customer(history: &History) -> History {
    let dial = |dial: &Dial| Dial {
        customer: CUSTOMER,
        ..dial.clone()
    };
    History {
        start: history.start,
        dials: history.dials.iter().map(dial).collect(),
    }
}

/// The same window, longer by what a run may count its admissions too long.
fn longer(limit: &Limit) -> Limit {
    match limit {
        Limit::Sliding {
            max,
            window_seconds,
        } => Limit::Sliding {
            max: *max,
            window_seconds: window_seconds + window_seconds.div_ceil(64),
        },
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn above_256_never_more_than_max_and_denied_at_worst_a_64th_of_the_window_too_long(
        limits in prop::collection::vec(prop_oneof![
            3 => (257..420_u32, 60..4_000_u32).prop_map(|(max, window)| json!({"kind": "sliding", "max": max, "window_seconds": window})),
            1 => (1..257_u32, 60..4_000_u32).prop_map(|(max, window)| json!({"kind": "sliding", "max": max, "window_seconds": window})),
            1 => days(257..420),
            1 => calendar(257..420),
        ], 1..4),
        history in history(prop_oneof![8 => 0..4_000_i64, 1 => -900..0_i64, 1 => 0..400_000_i64], 500..700),
        every in 1..40_u64,
        most in 20..200_usize,
    ) {
        let rules: Vec<_> = limits.iter().enumerate()
            .map(|(index, limit)| json!({"id": format!("rule-{index}"), "per": ["customer"], "limit": limit}))
            .collect();
        let policy = policy_of(&rules);
        let history = to_one_customer(&history);
        let mut world = World::default();
        let (mut admitted, mut latest) = (Vec::new(), 0);
        for (number, dial, now) in history.timed() {
            let decision = world.dial(&policy, &attempt(number, CUSTOMER, ""), at(now));
            latest = now.max(latest);
            for (rule, outcome) in policy.rules().iter().zip(&decision.rules) {
                let (limit, max) = (rule.limit(), rule.limit().admits());
                let exactly = in_window(limit, &admitted, latest);
                prop_assert!(exactly < max || outcome.denied, "dial {number}: {exactly} of {limit:?}");
                prop_assert!(outcome.count >= exactly || max <= 256, "dial {number}: told {} of {exactly}", outcome.count);
                let at_most = in_window(&longer(limit), &admitted, latest);
                prop_assert!(!outcome.denied || at_most >= max, "dial {number}: {at_most} of {limit:?}");
                if max <= 256 {
                    prop_assert_eq!(outcome.denied, exactly >= max, "dial {}", number);
                }
            }
            if decision.verdict == Verdict::Allow {
                admitted.push(latest);
            }
            if number % every == 0 {
                compact(&mut world, &policy, number, dial, now, most);
            }
        }
    }

    #[test]
    fn above_256_denied_until_exactly_retry_at_and_allowed_at_it(
        limit in prop_oneof![
            (257..300_u32, 600..4_000_u32).prop_map(|(max, window)| json!({"kind": "sliding", "max": max, "window_seconds": window})),
            days(257..300),
            calendar(257..300),
        ],
        history in history(0..3_000_i64, 320..400),
        every in 1..40_u64,
    ) {
        let policy = policy_of(&[json!({"id": "r", "per": ["customer"], "limit": limit})]);
        let history = to_one_customer(&history);
        let mut world = World::default();
        let mut told = BTreeMap::new();
        for (number, dial, now) in history.timed() {
            let decision = world.dial(&policy, &attempt(number, CUSTOMER, ""), at(now));
            if number % every == 0 {
                compact(&mut world, &policy, number, dial, now, 64);
            }
            if decision.verdict == Verdict::Deny {
                told.insert(decision.deciding.unwrap().retry_at.unwrap(), (now, decision.rules[0].retry_at));
            }
        }
        // Folding may move the time that was told by a part of a window, so only the last one is asked about.
        if let Some((retry_at, _)) = told.last_key_value() {
            let ask = |ms| world.clone().dial(&policy, &attempt(9_000, CUSTOMER, ""), at(ms)).verdict;
            let decision = world.clone().dial(&policy, &attempt(9_001, CUSTOMER, ""), at(history.timed().last().unwrap().2));
            if let Some(deciding) = decision.deciding {
                let now_told = deciding.retry_at.unwrap().as_millisecond();
                prop_assert!(now_told >= retry_at.as_millisecond());
                prop_assert_eq!(ask(now_told - 1), Verdict::Deny);
                prop_assert_eq!(ask(now_told), Verdict::Allow);
            }
        }
    }
}
