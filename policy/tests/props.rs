//! The guarantees of each kind of limit, against an oracle that is as naive as can be: it keeps plain lists and never
//! sees a log.

mod common;

use std::collections::BTreeMap;

use common::{OWNER, World, at, attempt, contact, policy};
use proptest::prelude::*;
use ringfence_policy::{
    Decision, Dimension, Limit, Plan, Policy, Rule, RuleMode, Verdict, decide::decide,
};
use serde_json::{Value, json};

const START: i64 = 1_795_000_000_000;

/// When, whom, from which number.
#[derive(Clone, Debug)]
struct Dial {
    step_ms: i64,
    customer: &'static str,
    caller_id: &'static str,
}

fn dials() -> impl Strategy<Value = Vec<Dial>> {
    let step = prop_oneof![3 => 0..3_000_i64, 2 => 0..40_000_i64, 1 => -2_000..0_i64, 1 => Just(10_000), 1 => 0..200_000_i64];
    let customer =
        prop_oneof![4 => Just("+12065550100"), 2 => Just("+442079460000"), 1 => Just("odd")];
    let caller_id = prop_oneof![4 => Just("+12065550199"), 1 => Just("")];
    let dial = (step, customer, caller_id).prop_map(|(step_ms, customer, caller_id)| Dial {
        step_ms,
        customer,
        caller_id,
    });
    prop::collection::vec(dial, 1..60)
}

fn limit() -> impl Strategy<Value = Value> {
    prop_oneof![
        (1..6_u32, 1..60_u32).prop_map(
            |(max, window)| json!({"kind": "sliding", "max": max, "window_seconds": window})
        ),
        (2..6_u32, 1..20_u32).prop_map(
            |(at, quiet)| json!({"kind": "until_quiet", "block_at": at, "quiet_seconds": quiet})
        ),
    ]
}

fn rules(most: usize) -> impl Strategy<Value = Vec<Value>> {
    rules_with(limit(), most)
}

fn rules_with(
    limit: impl Strategy<Value = Value>,
    most: usize,
) -> impl Strategy<Value = Vec<Value>> {
    let per = prop_oneof![
        Just(json!(["customer"])),
        Just(json!(["caller_id"])),
        Just(json!(["customer", "caller_id"]))
    ];
    let when =
        prop_oneof![2 => Just(json!({})), 1 => Just(json!({"destination_prefixes": ["+1"]}))];
    let mode = prop_oneof![4 => Just("enforce"), 1 => Just("shadow")];
    prop::collection::vec((per, when, limit, mode), 1..=most).prop_map(|parts| {
        parts
            .into_iter()
            .enumerate()
            .map(|(index, (per, when, limit, mode))| {
                json!({"id": format!("rule-{index}"), "per": per, "when": when, "limit": limit, "mode": mode})
            })
            .collect()
    })
}

fn policy_of(rules: &[Value]) -> Policy {
    policy(json!({ "rules": rules }))
}

/// So many that logs outgrow what is kept of them; now and then the flow asks a second time some dials later.
fn long_history() -> impl Strategy<Value = Vec<(Dial, usize)>> {
    let step =
        prop_oneof![6 => 0..3_000_i64, 2 => 0..9_000_i64, 1 => -900..0_i64, 1 => 0..70_000_i64];
    let customer = prop_oneof![9 => Just("+12065550100"), 1 => Just("odd")];
    let dial = (step, customer, 0..12_usize).prop_map(|(step_ms, customer, repeated_after)| {
        let caller_id = "+12065550199";
        (
            Dial {
                step_ms,
                customer,
                caller_id,
            },
            repeated_after,
        )
    });
    prop::collection::vec(dial, 320..500)
}

fn long_limit() -> impl Strategy<Value = Value> {
    prop_oneof![
        (1..257_u32, 30..2_000_u32).prop_map(
            |(max, window)| json!({"kind": "sliding", "max": max, "window_seconds": window})
        ),
        (2..257_u32, 3..90_u32).prop_map(
            |(at, quiet)| json!({"kind": "until_quiet", "block_at": at, "quiet_seconds": quiet})
        ),
    ]
}

#[derive(Clone, Copy, PartialEq)]
enum Kept {
    Admitted,
    Denied,
}

/// What a rule shares with others: everything that was ever counted for it, and the latest time anybody wrote.
#[derive(Default)]
struct Shelf {
    latest: i64,
    kept: Vec<(i64, Kept)>,
}

#[derive(Default)]
struct Oracle {
    shelves: BTreeMap<String, Shelf>,
}

struct Said {
    rule: String,
    count: u32,
    denied: bool,
}

impl Oracle {
    fn shelf_name(rule: &Rule, dial: &Dial) -> Option<String> {
        if rule.when().destination_prefixes().next().is_some() && !dial.customer.starts_with("+1") {
            return None;
        }
        let mut name = format!("{:?}", rule.when());
        if rule.counts_per(&Dimension::Customer) {
            name += &format!(" to {}", dial.customer);
        }
        if rule.counts_per(&Dimension::CallerId) {
            if dial.caller_id.is_empty() {
                return None;
            }
            name += &format!(" from {}", dial.caller_id);
        }
        Some(name)
    }

    fn said(&mut self, rule: &Rule, dial: &Dial, now: i64) -> Option<Said> {
        let shelf = self
            .shelves
            .entry(Self::shelf_name(rule, dial)?)
            .or_default();
        let now = shelf.latest.max(now);
        let (count, denied) = match rule.limit() {
            Limit::Sliding {
                max,
                window_seconds,
            } => {
                let within = |at: i64| now - at < i64::from(*window_seconds) * 1000;
                let count = shelf
                    .kept
                    .iter()
                    .filter(|(at, kept)| *kept == Kept::Admitted && within(*at))
                    .count();
                (count as u32, count as u32 >= *max)
            }
            Limit::UntilQuiet {
                block_at,
                quiet_seconds,
            } => {
                let mut number = 1_u32;
                let mut times: Vec<i64> = shelf.kept.iter().map(|(at, _)| *at).collect();
                times.push(now);
                for pair in times.windows(2) {
                    number = if pair[1] - pair[0] > i64::from(*quiet_seconds) * 1000 {
                        1
                    } else {
                        number + 1
                    };
                }
                (number - 1, number >= *block_at)
            }
            _ => unreachable!("these policies have no other kinds"),
        };
        Some(Said {
            rule: rule.id().to_string(),
            count,
            denied,
        })
    }

    fn dial(&mut self, policy: &Policy, dial: &Dial, now: i64) -> (Verdict, Vec<Said>) {
        let said: Vec<Said> = policy
            .rules()
            .iter()
            .filter_map(|rule| self.said(rule, dial, now))
            .collect();
        let denies = |rule: &Rule| {
            said.iter()
                .any(|said| said.rule == rule.id().as_str() && said.denied)
        };
        let denied = policy
            .rules()
            .iter()
            .any(|rule| rule.mode() == RuleMode::Enforce && denies(rule));
        for rule in policy.rules() {
            let Some(name) = Self::shelf_name(rule, dial) else {
                continue;
            };
            let shelf = self.shelves.entry(name.clone()).or_default();
            shelf.latest = shelf.latest.max(now);
            let latest = shelf.latest;
            let stays = |rule: &Rule| {
                Self::shelf_name(rule, dial).as_ref() == Some(&name)
                    && rule.mode() == RuleMode::Enforce
                    && matches!(rule.limit(), Limit::UntilQuiet { .. })
                    && denies(rule)
            };
            let first_on_shelf = policy
                .rules()
                .iter()
                .find(|other| Self::shelf_name(other, dial).as_ref() == Some(&name));
            if first_on_shelf.is_none_or(|first| first.id() != rule.id()) {
                continue;
            }
            if !denied {
                shelf.kept.push((latest, Kept::Admitted));
            } else if policy.rules().iter().any(stays) {
                shelf.kept.push((latest, Kept::Denied));
            }
        }
        let verdict = match (denied, said.iter().any(|said| said.denied)) {
            (true, _) => Verdict::Deny,
            (false, true) => Verdict::WouldDeny,
            (false, false) => Verdict::Allow,
        };
        (verdict, said)
    }
}

/// Plays the dials; after each, hands the world before it, the number of the contact, the dial, its time and decision.
fn play(
    policy: &Policy,
    dials: &[Dial],
    mut look: impl FnMut(&World, u64, &Dial, i64, &Decision),
) -> World {
    let mut world = World::default();
    let mut now = START;
    for (number, dial) in (0_u64..).zip(dials) {
        now += dial.step_ms;
        let before = world.clone();
        let decision = world.dial(
            policy,
            &attempt(number, dial.customer, dial.caller_id),
            at(now),
        );
        look(&before, number, dial, now, &decision);
    }
    world
}

/// A repeated delivery counts for nothing, yet time never runs backwards behind it.
fn deliver_again(world: &mut World, oracle: &mut Oracle, plan: &Plan<'_>, dial: &Dial, now: i64) {
    world.append(plan, at(now));
    for (rule, _, _) in plan.rules() {
        if let Some(name) = Oracle::shelf_name(rule, dial) {
            let shelf = oracle.shelves.entry(name).or_default();
            shelf.latest = shelf.latest.max(now);
        }
    }
}

fn ask(world: &World, policy: &Policy, who: u64, dial: &Dial, now: i64) -> Decision {
    world.clone().dial(
        policy,
        &attempt(who, dial.customer, dial.caller_id),
        at(now),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn agrees_with_the_naive_oracle_pruned_or_not(rules in rules(4), dials in dials(), prune_every in 1..6_u64) {
        let policy = policy_of(&rules);
        let mut oracle = Oracle::default();
        let mut world = World::default();
        let mut now = START;
        for (number, dial) in (0_u64..).zip(&dials) {
            now += dial.step_ms;
            let attempt = attempt(number, dial.customer, dial.caller_id);
            let decision = world.dial(&policy, &attempt, at(now));
            let (verdict, said) = oracle.dial(&policy, dial, now);
            prop_assert_eq!(decision.verdict, verdict, "dial {}", number);
            for outcome in decision.rules.iter().filter(|outcome| outcome.not_applied.is_none()) {
                let said = said.iter().find(|said| said.rule == outcome.rule_id.as_str()).unwrap();
                prop_assert_eq!((outcome.count, outcome.denied), (said.count, said.denied), "dial {}", number);
            }
            if number % prune_every == 0 {
                world.prune(&Plan::new(&policy, OWNER, &attempt), at(now));
            }
        }
    }

    #[test]
    fn never_more_than_max_admitted_in_any_window(max in 1..6_u32, window in 1..60_u32, dials in dials()) {
        let policy = policy_of(&[
            json!({"id": "r", "per": ["customer"], "limit": {"kind": "sliding", "max": max, "window_seconds": window}}),
        ]);
        let mut admitted: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        let mut latest: BTreeMap<&str, i64> = BTreeMap::new();
        play(&policy, &dials, |_, _, dial, now, decision| {
            let now = *latest.entry(dial.customer).and_modify(|at| *at = now.max(*at)).or_insert(now);
            if decision.verdict == Verdict::Allow {
                admitted.entry(dial.customer).or_default().push(now);
            }
        });
        for times in admitted.values() {
            for start in times {
                let within = times.iter().filter(|at| (0..i64::from(window) * 1000).contains(&(**at - start))).count();
                prop_assert!(within <= max as usize);
            }
        }
    }

    #[test]
    fn denied_until_retry_at_and_allowed_at_it(rules in rules(3), dials in dials()) {
        let policy = policy_of(&rules);
        let mut world = World::default();
        let mut now = START;
        for (number, dial) in (0_u64..).zip(&dials) {
            now += dial.step_ms;
            let decision = world.dial(&policy, &attempt(number, dial.customer, dial.caller_id), at(now));
            if decision.verdict == Verdict::Deny {
                let retry_at = decision.deciding.unwrap().retry_at.as_millisecond();
                prop_assert_eq!(ask(&world, &policy, 9_000, dial, retry_at - 1).verdict, Verdict::Deny);
                prop_assert_ne!(ask(&world, &policy, 9_000, dial, retry_at).verdict, Verdict::Deny);
            }
        }
    }

    #[test]
    fn the_order_of_rules_plays_no_part(rules in rules(4), dials in dials()) {
        let forwards = policy_of(&rules);
        let backwards = policy_of(&rules.iter().rev().cloned().collect::<Vec<_>>());
        play(&forwards, &dials, |world, number, dial, now, decision| {
            let other = ask(world, &backwards, number, dial, now);
            assert_eq!((decision.verdict, &decision.deciding), (other.verdict, &other.deciding));
        });
    }

    #[test]
    fn a_rule_more_never_allows_more(rules in rules(4), dials in dials()) {
        let all = policy_of(&rules);
        let fewer = policy_of(&rules[1..]);
        play(&all, &dials, |world, number, dial, now, decision| {
            if ask(world, &fewer, number, dial, now).verdict == Verdict::Deny {
                assert_eq!(decision.verdict, Verdict::Deny);
            }
        });
    }

    #[test]
    fn shadow_rules_never_change_who_gets_through(rules in rules(4), dials in dials()) {
        let with = policy_of(&rules);
        let enforcing: Vec<Value> = rules.iter().filter(|rule| rule["mode"] == "enforce").cloned().collect();
        let without = policy_of(&enforcing);
        let mut other = World::default();
        play(&with, &dials, |_, number, dial, now, decision| {
            let alone = other.dial(&without, &attempt(number, dial.customer, dial.caller_id), at(now));
            assert_eq!(decision.verdict == Verdict::Deny, alone.verdict == Verdict::Deny);
        });
    }

    #[test]
    fn the_same_contact_gets_the_same_answer_and_is_charged_once(rules in rules(3), dials in dials(), again in 0..60_u64) {
        let policy = policy_of(&rules);
        let again = again % dials.len() as u64;
        let mut answers = Vec::new();
        let mut world = play(&policy, &dials, |_, _, dial, now, decision| answers.push((dial.clone(), now, decision.verdict)));
        let (dial, now, first) = answers[again as usize].clone();
        if first != Verdict::Deny {
            let attempt = attempt(again, dial.customer, dial.caller_id);
            let plan = Plan::new(&policy, OWNER, &attempt);
            let before = world.clone();
            world.append(&plan, at(now));
            prop_assert_eq!(decide(&plan, &world.read(&plan), at(now)).verdict, first);
            let counts = |world: &World| {
                let next = ask(world, &policy, 9_000, &dial, now);
                next.rules.into_iter().map(|outcome| outcome.count).collect::<Vec<_>>()
            };
            prop_assert_eq!(counts(&before), counts(&world));
        }
    }

    #[test]
    fn nothing_in_a_log_makes_the_decision_panic(
        logs in prop::collection::vec(prop::collection::vec(prop::collection::vec(any::<u8>(), 0..30), 0..20), 0..4),
        rules in rules(4),
        now in any::<i32>(),
    ) {
        let policy = policy_of(&rules);
        let attempt = attempt(1, "+12065550100", "+12065550199");
        let plan = Plan::new(&policy, OWNER, &attempt);
        let logs: Vec<_> = logs.into_iter().map(ringfence_policy::Log::decode).collect();
        decide(&plan, &logs, at(i64::from(now)));
        for (index, log) in logs.iter().enumerate() {
            ringfence_policy::prunable(&plan, index, log, at(i64::from(now)));
        }
    }
}

/// More than the highest limit are told as that many.
const TOLD_AT_MOST: u32 = 256;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn long_histories_with_repeats_agree_with_the_naive_oracle_wherever_pruning_is_cut(
        rules in rules_with(long_limit(), 3),
        history in long_history(),
        prune_every in 1..9_u64,
        at_once in 1..90_usize,
    ) {
        let policy = policy_of(&rules);
        let mut oracle = Oracle::default();
        let mut world = World::default();
        let mut repeats: BTreeMap<u64, Vec<(u64, &Dial, i64, Verdict)>> = BTreeMap::new();
        let mut now = START;
        for (number, (dial, repeated_after)) in (0_u64..).zip(&history) {
            now += dial.step_ms;
            for (first, dial, since, verdict) in repeats.remove(&number).unwrap_or_default() {
                if now - since < 50_000 {
                    let again = attempt(first, dial.customer, dial.caller_id);
                    let plan = Plan::new(&policy, OWNER, &again);
                    deliver_again(&mut world, &mut oracle, &plan, dial, now);
                    prop_assert_eq!(decide(&plan, &world.read(&plan), at(now)).verdict, verdict, "dial {} again", first);
                }
            }
            let attempt = attempt(number, dial.customer, dial.caller_id);
            let decision = world.dial(&policy, &attempt, at(now));
            let (verdict, said) = oracle.dial(&policy, dial, now);
            prop_assert_eq!(decision.verdict, verdict, "dial {}", number);
            for outcome in decision.rules.iter().filter(|outcome| outcome.not_applied.is_none()) {
                let said = said.iter().find(|said| said.rule == outcome.rule_id.as_str()).unwrap();
                prop_assert_eq!(outcome.denied, said.denied, "dial {}", number);
                prop_assert_eq!(outcome.count.min(TOLD_AT_MOST), said.count.min(TOLD_AT_MOST), "dial {}", number);
            }
            if verdict != Verdict::Deny && *repeated_after > 0 {
                let due = number + *repeated_after as u64;
                repeats.entry(due).or_default().push((number, dial, now, verdict));
            }
            if number % prune_every == 0 {
                world.prune_at_most(at_once, &Plan::new(&policy, OWNER, &attempt), at(now));
            }
        }
    }
}

#[test]
fn of_two_reservations_for_the_last_place_the_earlier_has_it() {
    let policy = policy_of(&[
        json!({"id": "r", "per": ["customer"], "limit": {"kind": "sliding", "max": 1, "window_seconds": 60}}),
    ]);
    let mut world = World::default();
    let attempts = [
        attempt(1, "+12065550100", ""),
        attempt(2, "+12065550100", ""),
    ];
    let plans = attempts
        .each_ref()
        .map(|attempt| Plan::new(&policy, OWNER, attempt));
    for plan in &plans {
        world.append(plan, at(START));
    }
    let verdicts = plans
        .each_ref()
        .map(|plan| decide(plan, &world.read(plan), at(START)).verdict);
    assert_eq!(verdicts, [Verdict::Allow, Verdict::Deny]);
    assert_ne!(contact(1), contact(2));
}
