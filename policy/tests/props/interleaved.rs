//! Many attempts at once: appended in some order, marked in another, delivered twice, and compacted in between.

use proptest::prelude::*;
use ringfence_policy::{Decision, Plan, Verdict};

use crate::cases;
use crate::common::{OWNER, World, at, attempt};
use crate::dials::{limits, one};
use crate::guarantees::exceeds;

const CUSTOMER: &str = "+12065550100";

#[derive(Clone, Debug)]
enum Step {
    /// A new attempt, so many milliseconds later.
    Append(i64),
    /// One of the denied attempts that are not marked yet is marked.
    Mark(prop::sample::Index),
    /// An attempt that was allowed is delivered again.
    Repeat(prop::sample::Index),
    Compact,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => prop_oneof![4 => 0..400_i64, 1 => -2_000..0_i64, 1 => 0..30_000_i64].prop_map(Step::Append),
        3 => any::<prop::sample::Index>().prop_map(Step::Mark),
        1 => any::<prop::sample::Index>().prop_map(Step::Repeat),
        1 => Just(Step::Compact),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn however_rounds_interleave_nobody_is_admitted_too_much_and_repeats_are_answered_alike(limit in limits(1..6), steps in steps()) {
        let policy = one(&limit);
        let limit = policy.rules()[0].limit();
        let mut world = World::default();
        let (mut now, mut latest) = (1_795_000_000_000, 0);
        let mut admitted = Vec::new();
        let mut allowed: Vec<(u64, i64)> = Vec::new();
        let mut unmarked: Vec<(u64, i64, Decision)> = Vec::new();
        for (number, step) in (0_u64..).zip(&steps) {
            match step {
                Step::Append(step_ms) => {
                    now = (now + step_ms).max(latest - 4_000);
                    latest = latest.max(now);
                    // Whoever was denied has marked it by then.
                    let (late, rest) = unmarked.into_iter().partition(|(_, since, _)| latest - since > 8_000);
                    unmarked = rest;
                    for (number, _, decision) in Vec::from_iter(late) {
                        mark(&mut world, &policy, number, &decision);
                    }
                    let attempt = attempt(number, CUSTOMER, "");
                    let plan = Plan::new(&policy, OWNER, &attempt);
                    world.append(&plan, at(now));
                    let decision = world.decide(&plan, at(now));
                    if decision.verdict == Verdict::Deny {
                        unmarked.push((number, latest, decision));
                    } else {
                        admitted.push(latest);
                        allowed.push((number, latest));
                        prop_assert!(!exceeds(limit, &admitted), "{admitted:?}");
                    }
                }
                Step::Mark(which) if !unmarked.is_empty() => {
                    let (number, _, decision) = unmarked.swap_remove(which.index(unmarked.len()));
                    mark(&mut world, &policy, number, &decision);
                    let again = attempt(number, CUSTOMER, "");
                    let plan = Plan::new(&policy, OWNER, &again);
                    prop_assert!(world.decide(&plan, at(now)).denied_before);
                }
                Step::Repeat(which) if !allowed.is_empty() => {
                    let (number, since) = allowed[which.index(allowed.len())];
                    if latest - since < 20_000 {
                        let again = attempt(number, CUSTOMER, "");
                        let plan = Plan::new(&policy, OWNER, &again);
                        world.append(&plan, at(now));
                        prop_assert_eq!(world.decide(&plan, at(now)).verdict, Verdict::Allow);
                    }
                }
                Step::Compact => {
                    let attempt = attempt(9_000, CUSTOMER, "");
                    world.compact(64, &Plan::new(&policy, OWNER, &attempt), at(now));
                }
                Step::Mark(_) | Step::Repeat(_) => {}
            }
        }
    }
}

fn mark(world: &mut World, policy: &ringfence_policy::Policy, number: u64, decision: &Decision) {
    let attempt = attempt(number, CUSTOMER, "");
    world.mark(
        &Plan::new(policy, OWNER, &attempt),
        decision,
        attempt.contact,
    );
}
