//! What is promised in words: the sample's measured tables, emergency numbers, modes, and what a policy change keeps.

mod common;

use common::{OWNER, World, at, attempt, policy};
use ringfence_policy::{NotApplied, OwnEntry, Plan, Policy, Verdict, compact};
use serde_json::{Value, json};

const START: i64 = 1_795_000_000_000;
const CUSTOMER: &str = "+12065550100";
const CALLER: &str = "+12065550199";

fn rule(id: &str, per: Value, limit: Value) -> Value {
    json!({"id": id, "per": per, "limit": limit})
}

fn until_quiet(block_at: u32) -> Value {
    json!({"kind": "until_quiet", "block_at": block_at, "quiet_seconds": 60})
}

fn sliding(max: u32, window_seconds: u32) -> Value {
    json!({"kind": "sliding", "max": max, "window_seconds": window_seconds})
}

fn one(per: &str, limit: Value) -> Policy {
    policy(json!({"rules": [rule("r", json!([per]), limit)]}))
}

/// Dials one customer at these offsets from the start; true where allowed.
fn dial(policy: &Policy, offsets_ms: impl IntoIterator<Item = i64>) -> Vec<bool> {
    let mut world = World::default();
    (0_u64..)
        .zip(offsets_ms)
        .map(|(number, offset)| {
            world
                .dial(
                    policy,
                    &attempt(number, CUSTOMER, CALLER),
                    at(START + offset),
                )
                .verdict
                == Verdict::Allow
        })
        .collect()
}

#[test]
fn a_burst_is_admitted_up_to_one_less_than_block_at() {
    for (block_at, admitted) in [(2, 1), (3, 2), (4, 3), (5, 4), (10, 9)] {
        let allowed = dial(
            &one("customer", until_quiet(block_at)),
            (0..20).map(|second| second * 1000),
        );
        assert_eq!(
            allowed.iter().filter(|allowed| **allowed).count(),
            admitted,
            "block_at {block_at}"
        );
        assert!(allowed[..admitted].iter().all(|allowed| *allowed));
    }
}

#[test]
fn a_caller_id_is_counted_whoever_is_called() {
    for (block_at, admitted) in [(3, 2), (6, 5), (10, 9)] {
        let policy = one("caller_id", until_quiet(block_at));
        let mut world = World::default();
        let allowed = (0..20).filter(|number| {
            let customer = format!("+1206555{number:04}");
            let decision = world.dial(
                &policy,
                &attempt(*number, &customer, CALLER),
                at(START + *number as i64 * 1000),
            );
            decision.verdict == Verdict::Allow
        });
        assert_eq!(allowed.count(), admitted);
    }
}

#[test]
fn attempts_that_never_pause_stay_denied() {
    let allowed = dial(
        &one("customer", until_quiet(3)),
        (0..8).map(|number| number * 50_000),
    );
    assert_eq!(
        allowed,
        [true, true, false, false, false, false, false, false]
    );
}

#[test]
fn silence_must_be_longer_than_quiet_seconds() {
    let policy = one("customer", until_quiet(2));
    assert_eq!(dial(&policy, [0, 0, 59_999]), [true, false, false]);
    assert_eq!(dial(&policy, [0, 0, 60_000]), [true, false, false]);
    assert_eq!(dial(&policy, [0, 0, 60_001]), [true, false, true]);
}

#[test]
fn after_silence_counting_starts_anew() {
    let offsets = [
        0, 1_000, 2_000, 3_000, 4_000, 74_001, 75_000, 76_000, 77_000, 78_000,
    ];
    let allowed = dial(&one("customer", until_quiet(5)), offsets);
    assert_eq!(
        allowed,
        [true, true, true, true, false, true, true, true, true, false]
    );
}

#[test]
fn sliding_counts_no_denied_attempt_and_frees_places_one_by_one() {
    let allowed = dial(
        &one("customer", sliding(2, 60)),
        [0, 30_000, 40_000, 59_999, 60_000, 60_000, 89_999, 90_000],
    );
    assert_eq!(
        allowed,
        [true, true, false, false, true, false, false, true]
    );
}

#[test]
fn a_call_denied_for_the_customer_does_not_use_up_the_caller_id() {
    let policy = policy(json!({"rules": [
        rule("customer", json!(["customer"]), until_quiet(2)),
        rule("caller", json!(["caller_id"]), until_quiet(6)),
    ]}));
    let mut world = World::default();
    for number in 0..5 {
        world.dial(&policy, &attempt(number, CUSTOMER, CALLER), at(START));
    }
    let other = world.dial(&policy, &attempt(9, "+12065550101", CALLER), at(START));
    assert_eq!(other.verdict, Verdict::Allow);
    assert_eq!(other.rules[1].count, 1);
}

#[test]
fn emergency_numbers_are_never_counted_and_never_denied() {
    let policy = policy(json!({"rules": [rule("r", json!(["caller_id"]), sliding(1, 60))]}));
    let mut world = World::default();
    world.dial(&policy, &attempt(0, CUSTOMER, CALLER), at(START));
    let mut emergency = attempt(1, "911", CALLER);
    for dialled in ["911", "+911", "9-1-1"] {
        emergency.dialled = vec!["1911".to_owned(), dialled.to_owned()];
        let logs = world.logs.clone();
        assert_eq!(
            world.dial(&policy, &emergency, at(START)).verdict,
            Verdict::Emergency,
            "{dialled}"
        );
        assert_eq!(world.logs, logs);
    }
    emergency.dialled = vec!["9112".to_owned()];
    assert_eq!(
        world.dial(&policy, &emergency, at(START)).verdict,
        Verdict::Deny
    );
}

#[test]
fn a_policy_in_shadow_denies_nobody_and_tells_whom_it_would() {
    let policy = policy(
        json!({"mode": "shadow", "rules": [rule("r", json!(["customer"]), sliding(1, 60))]}),
    );
    let mut world = World::default();
    let verdicts: Vec<Verdict> = (0..3)
        .map(|number| {
            world
                .dial(&policy, &attempt(number, CUSTOMER, CALLER), at(START))
                .verdict
        })
        .collect();
    assert_eq!(
        verdicts,
        [Verdict::Allow, Verdict::WouldDeny, Verdict::WouldDeny]
    );
}

#[test]
fn a_policy_that_is_off_counts_nothing() {
    let policy =
        policy(json!({"mode": "off", "rules": [rule("r", json!(["customer"]), sliding(1, 60))]}));
    let plan = Plan::new(&policy, OWNER, &attempt(0, CUSTOMER, CALLER))
        .meters()
        .len();
    assert_eq!((plan, dial(&policy, [0, 0, 0])), (0, vec![true; 3]));
}

#[test]
fn a_rule_whose_value_is_missing_does_not_apply_and_says_so() {
    let policy = policy(json!({"rules": [
        rule("pair", json!(["customer", "caller_id"]), sliding(1, 60)),
        {"id": "china", "per": ["customer"], "when": {"destination_prefixes": ["+86"]}, "limit": sliding(1, 60)},
    ]}));
    let decision = World::default().dial(&policy, &attempt(0, CUSTOMER, ""), at(START));
    let why: Vec<_> = decision
        .rules
        .iter()
        .map(|outcome| outcome.not_applied.map(NotApplied::as_str))
        .collect();
    assert_eq!(why, [Some("no_caller_id"), Some("other_destination")]);
}

#[test]
fn typed_text_is_counted_apart_from_the_number_it_resembles() {
    let policy = one("customer", sliding(1, 60));
    let mut world = World::default();
    for (contact, customer) in [(0, CUSTOMER), (1, "12065550100")] {
        assert_eq!(
            world
                .dial(&policy, &attempt(contact, customer, CALLER), at(START))
                .verdict,
            Verdict::Allow
        );
    }
    let again = world.dial(&policy, &attempt(2, "12065550100", CALLER), at(START));
    assert_eq!(again.verdict, Verdict::Deny);
}

#[test]
fn a_changed_maximum_or_window_keeps_live_counts_and_a_changed_filter_starts_anew() {
    let mut world = World::default();
    for number in 0..3 {
        world.dial(
            &one("customer", sliding(3, 60)),
            &attempt(number, CUSTOMER, CALLER),
            at(START),
        );
    }
    let ask = |policy: Policy| {
        let mut world = world.clone();
        world
            .dial(&policy, &attempt(7, CUSTOMER, CALLER), at(START + 1))
            .rules[0]
            .count
    };
    assert_eq!(ask(one("customer", sliding(9, 60))), 3);
    assert_eq!(ask(one("customer", sliding(9, 3600))), 3);
    assert_eq!(ask(one("customer", until_quiet(9))), 3);
    let filtered = json!({"id": "r", "per": ["customer"], "when": {"destination_prefixes": ["+1"]}, "limit": sliding(9, 60)});
    assert_eq!(ask(policy(json!({"rules": [filtered]}))), 0);
    assert_eq!(
        ask(policy(
            json!({"rules": [rule("r", json!(["customer", "caller_id"]), sliding(9, 60))]})
        )),
        0
    );
}

#[test]
fn the_reason_told_is_the_one_that_lasts_longest() {
    let policy = policy(json!({"rules": [
        rule("short", json!(["customer"]), sliding(1, 60)),
        rule("long", json!(["caller_id"]), sliding(1, 3600)),
    ]}));
    let mut world = World::default();
    world.dial(&policy, &attempt(0, CUSTOMER, CALLER), at(START));
    let deciding = world
        .dial(&policy, &attempt(1, CUSTOMER, CALLER), at(START))
        .deciding
        .unwrap();
    assert_eq!(
        (deciding.rule_id.unwrap().as_str(), deciding.reason),
        ("long", "system")
    );
    assert_eq!(deciding.retry_at, Some(at(START + 3_600_000)));
}

#[test]
fn redialling_leaves_no_growing_log() {
    let policy = one("caller_id", sliding(5, 86_400));
    let mut world = World::default();
    let mut now = START;
    for number in 0..2_000 {
        now += 1_000;
        let attempt = attempt(number, CUSTOMER, CALLER);
        world.dial(&policy, &attempt, at(now));
        world.compact(usize::MAX, &Plan::new(&policy, OWNER, &attempt), at(now));
    }
    let longest = world.logs.values().map(Vec::len).max().unwrap();
    assert!(longest <= 5 + 26, "{longest} entries");
}

#[test]
fn a_young_entry_keeps_its_place_for_a_repeated_delivery() {
    let policy = one("customer", sliding(1, 1));
    let mut world = World::default();
    let attempt = attempt(0, CUSTOMER, CALLER);
    world.dial(&policy, &attempt, at(START));
    let plan = Plan::new(&policy, OWNER, &attempt);
    let log = &world.read(&plan)[0];
    assert_eq!(compact(&plan, 0, log, at(START + 24_999), 64), None);
    let compaction = compact(&plan, 0, log, at(START + 25_000), 64).unwrap();
    assert_eq!((compaction.remove, compaction.past), (vec![0], None));
}

#[test]
fn redials_belong_to_one_stretch_until_the_rule_admits_again() {
    for limit in [until_quiet(2), sliding(1, 60)] {
        let policy = one("customer", limit);
        let mut world = World::default();
        let mut stretch = |number: u64, offset: i64| {
            let decision = world.dial(
                &policy,
                &attempt(number, CUSTOMER, CALLER),
                at(START + offset),
            );
            decision.deciding.map(|deciding| deciding.stretch)
        };
        assert_eq!(stretch(0, 0), None);
        let first = stretch(1, 1_000);
        assert!(first.is_some());
        assert_eq!(stretch(2, 50_000), first);
        assert_eq!(stretch(3, 120_000), None);
        let second = stretch(4, 121_000);
        assert!(second.is_some() && second != first);
    }
}

#[test]
fn a_burst_that_is_not_marked_yet_is_one_stretch_with_one_retry_time() {
    let policy = one("customer", sliding(5, 60));
    let mut world = World::default();
    let attempts: Vec<_> = (0..50)
        .map(|number| attempt(number, CUSTOMER, CALLER))
        .collect();
    for (offset, attempt) in (0_i64..).zip(&attempts) {
        world.append(&Plan::new(&policy, OWNER, attempt), at(START + offset));
    }
    for (number, attempt) in attempts.iter().enumerate() {
        let plan = Plan::new(&policy, OWNER, attempt);
        let decision = world.decide(&plan, at(START));
        assert_eq!(decision.verdict == Verdict::Allow, number < 5);
        if let Some(deciding) = decision.deciding {
            assert_eq!(
                (deciding.retry_at, deciding.stretch),
                (Some(at(START + 60_000)), at(START + 60_000))
            );
            assert_eq!(decision.rules[0].count, 5);
        }
    }
}

#[test]
fn a_lowered_maximum_is_never_exceeded_by_what_was_admitted_under_the_higher_one() {
    let mut world = World::default();
    for number in 0..8 {
        world.dial(
            &one("customer", sliding(10, 60)),
            &attempt(number, CUSTOMER, CALLER),
            at(START + number as i64 * 1_000),
        );
    }
    let lower = one("customer", sliding(5, 60));
    let ask = |offset| {
        world
            .clone()
            .dial(&lower, &attempt(9, CUSTOMER, CALLER), at(START + offset))
            .verdict
    };
    assert_eq!(ask(8_000), Verdict::Deny);
    assert_eq!(ask(62_999), Verdict::Deny, "five of the eight still stand");
    assert_eq!(ask(63_000), Verdict::Allow);
}

#[test]
fn a_series_that_is_only_watched_keeps_no_attempt_that_another_rule_denied() {
    let mut watched = rule("series", json!(["caller_id"]), until_quiet(2));
    watched["mode"] = json!("shadow");
    let window = rule("window", json!(["customer"]), sliding(1, 60));
    let policy = policy(json!({"rules": [window, watched]}));
    let mut world = World::default();
    world.dial(&policy, &attempt(0, CUSTOMER, CALLER), at(START));
    let denied = world.dial(&policy, &attempt(1, CUSTOMER, CALLER), at(START + 1));
    assert!(denied.rules[1].denied, "it would have");
    assert_eq!(denied.own_entries, [OwnEntry::Void, OwnEntry::Void]);
}
