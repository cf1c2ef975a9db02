//! Coming near to a limit is told by one attempt of each time that the count gets there.

use proptest::prelude::*;
use ringfence_policy::{Limit, Plan, Verdict};
use serde_json::{Value, json};

use crate::cases;
use crate::common::{OWNER, World, at, attempt};
use crate::dials::{calendar, days, histories, limits, one, policy_of, rules_with};
use crate::oracle::Oracle;

const START: i64 = 1_795_000_000_000;

fn series(admits: std::ops::Range<u32>) -> impl Strategy<Value = Value> {
    (admits, 1..20_u32).prop_map(
        |(admits, quiet)| json!({"kind": "until_quiet", "block_at": admits + 1, "quiet_seconds": quiet}),
    )
}

fn sliding(max: std::ops::Range<u32>) -> impl Strategy<Value = Value> {
    (max, 1..60_u32)
        .prop_map(|(max, window)| json!({"kind": "sliding", "max": max, "window_seconds": window}))
}

/// In words as far from the program's as can be: the first of the numbers of which five make no less than four limits.
fn near_at(limit: &Limit) -> Option<u32> {
    let max = match limit {
        Limit::Pace { .. } => return None,
        Limit::UntilQuiet { block_at, .. } => block_at - 1,
        Limit::Sliding { max, .. }
        | Limit::ConsecutiveDays { max, .. }
        | Limit::Calendar { max, .. } => *max,
    };
    (max >= 5).then(|| (1..).find(|number| 5 * number >= 4 * max).unwrap())
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn exactly_one_of_n_attempts_one_after_another_comes_near(
        limit in prop_oneof![series(5..256), sliding(5..300), days(5..300), calendar(5..300)],
        repeated in 0..400_u64,
    ) {
        let policy = one(&limit);
        let crossing = near_at(policy.rules()[0].limit()).unwrap();
        let mut world = World::default();
        let calls = u64::from(policy.rules()[0].limit().admits()) + 3;
        let mut told = Vec::new();
        for number in 1..=calls {
            let attempt = attempt(number, "+12065550100", "");
            let near = world.dial(&policy, &attempt, at(START)).is_near();
            told.extend(near.then_some(number));
            if number == repeated {
                let plan = Plan::new(&policy, OWNER, &attempt);
                world.append(&plan, at(START));
                prop_assert_eq!(world.decide(&plan, at(START)).is_near(), near, "delivered again");
            }
        }
        prop_assert_eq!(told, [u64::from(crossing)]);
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn coming_near_agrees_with_the_naive_oracle(
        rules in rules_with(prop_oneof![2 => limits(5..9), 1 => series(5..9)], 4), history in histories(),
    ) {
        let policy = policy_of(&rules);
        let (mut oracle, mut world) = (Oracle::default(), World::default());
        for (number, dial, now) in history.timed() {
            let decision = world.dial(&policy, &attempt(number, dial.customer, dial.caller_id), at(now));
            let (verdict, said) = oracle.dial(&policy, dial, now);
            let goes = verdict != Verdict::Deny;
            for (rule, outcome) in policy.rules().iter().zip(&decision.rules) {
                let said = said.iter().find(|said| said.rule == rule.id().as_str());
                let near = goes && said.is_some_and(|said| near_at(rule.limit()) == Some(said.count + 1));
                prop_assert_eq!(outcome.near, near, "dial {}, {}", number, rule.id());
            }
        }
    }
}
