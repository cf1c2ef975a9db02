//! Which attempt comes near to a limit, and of which nobody is told.

mod common;

use common::{OWNER, World, at, attempt, policy};
use ringfence_policy::{
    Decision, List, Listing, Plan, Policy, RuleOutcome, Verdict, decide::decide,
};
use serde_json::{Value, json};

const START: i64 = 1_795_000_000_000;
const CUSTOMER: &str = "+12065550100";
const CALLER: &str = "+12065550199";

fn sliding(max: u32) -> Value {
    json!({"kind": "sliding", "max": max, "window_seconds": 60})
}

fn of(limit: Value) -> Policy {
    policy(json!({"rules": [{"id": "r", "per": ["customer"], "limit": limit}]}))
}

/// The numbers, from 1 on, of those of so many calls that come near to a limit.
fn near(policy: &Policy, calls: u64) -> Vec<u64> {
    let mut world = World::default();
    let dial = |number: &u64| {
        let attempt = attempt(*number, CUSTOMER, CALLER);
        world.dial(policy, &attempt, at(START)).is_near()
    };
    (1..=calls).filter(dial).collect()
}

#[test]
fn four_fifths_of_a_limit_are_near_it() {
    let near_at = [(5, 4), (6, 5), (7, 6), (9, 8), (10, 8), (11, 9), (100, 80)];
    for (max, number) in near_at {
        let calls = u64::from(max) + 2;
        assert_eq!(near(&of(sliding(max)), calls), [number], "max {max}");
        let series = json!({"kind": "until_quiet", "block_at": max + 1, "quiet_seconds": 60});
        assert_eq!(near(&of(series), calls), [number], "block_at {}", max + 1);
    }
}

#[test]
fn nobody_is_told_of_a_limit_below_five_nor_of_a_pace() {
    for max in 1..5 {
        assert_eq!(near(&of(sliding(max)), 9), [0; 0], "max {max}");
    }
    let series = json!({"kind": "until_quiet", "block_at": 5, "quiet_seconds": 60});
    assert_eq!(near(&of(series), 9), [0; 0]);
    let pace = json!({"kind": "pace", "max": 10, "per_seconds": 60, "burst": 10});
    assert_eq!(near(&of(pace), 12), [0; 0]);
}

#[test]
fn a_rule_or_a_policy_in_shadow_comes_near_as_well_and_one_that_is_off_does_not() {
    let rule = json!({"id": "r", "per": ["customer"], "limit": sliding(5), "mode": "shadow"});
    assert_eq!(near(&policy(json!({"rules": [rule]})), 9), [4]);
    for (mode, told) in [("shadow", vec![4]), ("off", vec![])] {
        let rule = json!({"id": "r", "per": ["customer"], "limit": sliding(5)});
        let policy = policy(json!({"mode": mode, "rules": [rule]}));
        assert_eq!(near(&policy, 9), told, "{mode}");
    }
}

#[test]
fn a_call_that_another_rule_in_shadow_would_have_denied_comes_near() {
    let policy = policy(json!({"rules": [
        {"id": "watching", "per": ["customer"], "limit": sliding(2), "mode": "shadow"},
        {"id": "r", "per": ["customer"], "limit": sliding(5)},
    ]}));
    assert_eq!(near(&policy, 9), [4]);
}

#[test]
fn a_denied_call_comes_near_to_nothing_and_leaves_it_to_the_next_one() {
    let policy = policy(json!({"rules": [
        {"id": "customer", "per": ["customer"], "limit": sliding(3)},
        {"id": "caller", "per": ["caller_id"], "limit": sliding(5)},
    ]}));
    assert_eq!(near(&policy, 9), [0; 0], "the fourth call is denied");
    let mut world = World::default();
    for number in 0..6 {
        world.dial(&policy, &attempt(number, CUSTOMER, CALLER), at(START));
    }
    let other = world.dial(&policy, &attempt(9, "+12065550101", CALLER), at(START));
    let told: Vec<_> = other.rules.iter().map(|outcome| outcome.near).collect();
    assert_eq!((other.verdict, told), (Verdict::Allow, vec![false, true]));
}

/// The fourth call under a limit of five, to a number on a list.
fn listed(mode: &str, list: List) -> Decision {
    let rule = json!({"id": "r", "per": ["customer"], "limit": sliding(5)});
    let policy = policy(json!({"mode": mode, "rules": [rule]}));
    let mut world = World::default();
    for number in 0..3 {
        world.dial(&policy, &attempt(number, CUSTOMER, CALLER), at(START));
    }
    let fourth = attempt(3, CUSTOMER, CALLER);
    let plan = Plan::new(&policy, OWNER, &fourth);
    world.append(&plan, at(START));
    let listing = Listing {
        list,
        expires_at: None,
    };
    decide(&plan, &world.read(&plan), Some(&listing), at(START))
}

#[test]
fn a_listed_number_comes_near_only_where_it_is_charged() {
    let exempt = listed("enforce", List::Exemption);
    assert_eq!((exempt.verdict, exempt.is_near()), (Verdict::Exempt, false));
    let blocked = listed("enforce", List::Block);
    assert_eq!((blocked.verdict, blocked.is_near()), (Verdict::Deny, false));
    let watched = listed("shadow", List::Block);
    let verdict = (watched.verdict, watched.is_near());
    assert_eq!(verdict, (Verdict::WouldDeny, true));
}

#[test]
fn a_count_that_falls_and_rises_again_comes_near_again() {
    let policy = of(sliding(5));
    let mut world = World::default();
    let offsets = [0, 1_000, 2_000, 3_000, 60_500, 60_600, 61_500];
    let told = (0..).zip(offsets).filter(|(number, offset)| {
        let attempt = attempt(*number, CUSTOMER, CALLER);
        let decision = world.dial(&policy, &attempt, at(START + offset));
        world.compact(64, &Plan::new(&policy, OWNER, &attempt), at(START + offset));
        decision.rules.iter().any(|RuleOutcome { near, .. }| *near)
    });
    let told: Vec<i64> = told.map(|(_, offset)| offset).collect();
    assert_eq!(told, [3_000, 60_500], "the third leaves four, then five");
}
