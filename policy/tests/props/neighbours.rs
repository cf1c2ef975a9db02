//! Two policies of one tenant that count on the same meters: neither forgets what the other needs.

use proptest::prelude::*;
use ringfence_policy::{LimitsElsewhere, Plan, Policy};
use serde_json::{Value, json};

use crate::cases;
use crate::common::{OWNER, World, at, attempt};
use crate::dials::{histories, policy_of, rules};

fn tenant_wide(rules: &[Value]) -> Policy {
    let wide = rules.iter().cloned().map(|mut rule| {
        rule["scope"] = json!("tenant");
        rule
    });
    policy_of(&wide.collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn what_one_policy_compacts_changes_no_decision_of_another(
        rules in (rules(3), rules(3)),
        history in histories(),
        turns in prop::collection::vec(any::<bool>(), 60),
        most in 1..100_usize,
    ) {
        let policies = [tenant_wide(&rules.0), tenant_wide(&rules.1)];
        let elsewhere = [
            LimitsElsewhere::of(&policies[0], [&policies[1]]),
            LimitsElsewhere::of(&policies[1], [&policies[0]]),
        ];
        let (mut kept, mut compacted) = (World::default(), World::default());
        for ((number, dial, now), turn) in history.timed().zip(turns) {
            let turn = usize::from(turn);
            let attempt = attempt(number, dial.customer, dial.caller_id);
            let wanted = kept.dial(&policies[turn], &attempt, at(now));
            let decision = compacted.dial(&policies[turn], &attempt, at(now));
            prop_assert_eq!(decision.verdict, wanted.verdict, "dial {}", number);
            let plan = Plan::new(&policies[turn], OWNER, &attempt).beside(&elsewhere[turn]);
            compacted.compact(most, &plan, at(now));
        }
    }
}
