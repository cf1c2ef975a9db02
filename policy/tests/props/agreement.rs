//! What is decided is what the naive oracle says, however the logs were compacted meanwhile.

use std::collections::BTreeMap;

use proptest::prelude::*;
use ringfence_policy::{Decision, Plan, Verdict};

use crate::cases;
use crate::common::{OWNER, World, at, attempt};
use crate::dials::{Dial, compact, histories, history, limits, policy_of, rules, rules_with};
use crate::oracle::{Oracle, Said};

/// Higher counts may be told a little too high, as they are counted in runs.
const TOLD_EXACTLY: u32 = 256;

fn agrees(decision: &Decision, said: &(Verdict, Vec<Said>)) -> Result<(), TestCaseError> {
    prop_assert_eq!(decision.verdict, said.0);
    for outcome in decision
        .rules
        .iter()
        .filter(|outcome| outcome.not_applied.is_none())
    {
        let said = said
            .1
            .iter()
            .find(|said| said.rule == outcome.rule_id.as_str())
            .unwrap();
        prop_assert_eq!(outcome.denied, said.denied, "{}", outcome.rule_id);
        prop_assert_eq!(
            outcome.count.min(TOLD_EXACTLY),
            said.count.min(TOLD_EXACTLY),
            "{}",
            outcome.rule_id
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn every_kind_agrees_with_the_naive_oracle_compacted_or_not(
        rules in rules(4), history in histories(), every in 1..6_u64, most in 1..20_usize,
    ) {
        let policy = policy_of(&rules);
        let (mut oracle, mut compacted, mut whole) = (Oracle::default(), World::default(), World::default());
        for (number, dial, now) in history.timed() {
            let attempt = attempt(number, dial.customer, dial.caller_id);
            let decision = compacted.dial(&policy, &attempt, at(now));
            agrees(&decision, &oracle.dial(&policy, dial, now))?;
            prop_assert_eq!(&decision, &whole.dial(&policy, &attempt, at(now)), "dial {}", number);
            if number % every == 0 {
                compact(&mut compacted, &policy, number, dial, now, most);
            }
        }
    }
}

/// How high long histories count: beyond what is kept one by one.
const LONG: std::ops::Range<u32> = 1..257;

/// So many that logs outgrow what is kept of them; now and then the flow asks a second time some dials later.
fn long_step() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0..3_000_i64, 2 => 0..9_000_i64, 1 => -900..0_i64, 1 => 0..70_000_i64]
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn long_histories_with_repeats_agree_with_the_naive_oracle_wherever_compacting_is_cut(
        rules in rules_with(limits(LONG), 3),
        history in history(long_step(), 320..420),
        repeated_after in prop::collection::vec(0..12_u64, 420),
        every in 1..9_u64,
        most in 1..90_usize,
    ) {
        let policy = policy_of(&rules);
        let (mut oracle, mut world) = (Oracle::default(), World::default());
        let mut repeats: BTreeMap<u64, Vec<(u64, &Dial, i64, Verdict)>> = BTreeMap::new();
        for (number, dial, now) in history.timed() {
            for (first, dial, since, verdict) in repeats.remove(&number).unwrap_or_default() {
                if now - since < 20_000 {
                    let again = attempt(first, dial.customer, dial.caller_id);
                    let plan = Plan::new(&policy, OWNER, &again);
                    world.append(&plan, at(now));
                    oracle.repeat(&policy, dial, now);
                    prop_assert_eq!(world.decide(&plan, at(now)).verdict, verdict, "dial {} again", first);
                }
            }
            let attempt = attempt(number, dial.customer, dial.caller_id);
            let decision = world.dial(&policy, &attempt, at(now));
            agrees(&decision, &oracle.dial(&policy, dial, now))?;
            if decision.verdict != Verdict::Deny && repeated_after[number as usize] > 0 {
                let due = number + repeated_after[number as usize];
                repeats.entry(due).or_default().push((number, dial, now, decision.verdict));
            }
            if number % every == 0 {
                compact(&mut world, &policy, number, dial, now, most);
            }
        }
    }
}
