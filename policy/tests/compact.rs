//! Compacting forgets nothing that a decision needs, however long a log grows and wherever a removal is cut short.

mod common;

use common::{OWNER, World, at, attempt, contact, policy};
use ringfence_policy::{Decision, Entry, EntryStatus, Log, Plan, Policy, Verdict, compact};
use serde_json::{Value, json};

const START: i64 = 1_795_000_000_000;
const CUSTOMER: &str = "+12065550100";
const CALLER: &str = "+12065550199";
const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;

fn sliding(max: u32, window_seconds: u32) -> Value {
    json!({"kind": "sliding", "max": max, "window_seconds": window_seconds})
}

fn until_quiet(block_at: u32, quiet_seconds: u32) -> Value {
    json!({"kind": "until_quiet", "block_at": block_at, "quiet_seconds": quiet_seconds})
}

fn per_customer(limits: &[Value]) -> Policy {
    let rules: Vec<Value> = limits
        .iter()
        .enumerate()
        .map(|(index, limit)| json!({"id": format!("rule-{index}"), "per": ["customer"], "limit": limit}))
        .collect();
    policy(json!({ "rules": rules }))
}

/// Dials, then removes what the dial's own log shows to be dead, as a limiter does.
fn dial_and_compact(world: &mut World, policy: &Policy, number: u64, offset: i64) -> Decision {
    let attempt = attempt(number, CUSTOMER, CALLER);
    let decision = world.dial(policy, &attempt, at(START + offset));
    world.compact(
        usize::MAX,
        &Plan::new(policy, OWNER, &attempt),
        at(START + offset),
    );
    decision
}

fn entry(number: u64, offset: i64, status: EntryStatus) -> Entry {
    Entry {
        status,
        at_ms: u64::try_from(START + offset).unwrap(),
        contact: contact(number),
    }
}

fn dead(policy: &Policy, who: u64, entries: &[Entry], offset: i64) -> Vec<usize> {
    let attempt = attempt(who, CUSTOMER, CALLER);
    let plan = Plan::new(policy, OWNER, &attempt);
    let log: Log = entries.iter().copied().collect();
    compact(&plan, 0, &log, at(START + offset), usize::MAX)
        .map_or_else(Vec::new, |compaction| compaction.remove)
}

#[test]
fn admissions_outlast_any_number_of_denied_redials() {
    let policy = per_customer(&[sliding(3, 86_400), until_quiet(2, 60)]);
    let mut world = World::default();
    for (number, offset) in [(0, 0), (1, 120 * SECOND)] {
        let decision = dial_and_compact(&mut world, &policy, number, offset);
        assert_eq!(decision.verdict, Verdict::Allow);
    }
    for number in 2..700 {
        let offset = 120 * SECOND + (number as i64 - 1) * 30 * SECOND;
        let decision = dial_and_compact(&mut world, &policy, number, offset);
        assert_eq!(decision.verdict, Verdict::Deny);
        assert_eq!(decision.rules[0].count, 2, "dial {number}");
    }
}

#[test]
fn a_crowd_of_reservations_that_may_be_released_pushes_no_admission_out() {
    let policy = per_customer(&[sliding(50, 86_400)]);
    let mut entries: Vec<Entry> = (0..50)
        .map(|number| entry(number, number as i64 * SECOND, EntryStatus::Admitted))
        .collect();
    entries.extend((0..300).map(|number| entry(1_000 + number, 6 * HOUR, EntryStatus::Admitted)));
    for later in [0, 10 * SECOND, 24 * SECOND] {
        assert_eq!(
            dead(&policy, 1_299, &entries, 6 * HOUR + later),
            [0_usize; 0]
        );
    }
}

#[test]
fn settled_admissions_beyond_the_highest_limit_make_older_ones_dead() {
    let policy = per_customer(&[sliding(10, 86_400)]);
    let entries: Vec<Entry> = (0..300)
        .map(|number| entry(number, number as i64, EntryStatus::Admitted))
        .collect();
    let forgotten: Vec<usize> = (0..300 - 256).collect();
    assert_eq!(dead(&policy, 9_999, &entries, HOUR), forgotten);
}

#[test]
fn a_long_series_stays_one_stretch() {
    for pause in [SECOND, 7 * SECOND, 30 * SECOND, 60 * SECOND] {
        let policy = per_customer(&[until_quiet(2, 60)]);
        let mut world = World::default();
        let mut stretches: Vec<_> = (0..500)
            .filter_map(|number| {
                let decision = dial_and_compact(&mut world, &policy, number, number as i64 * pause);
                decision.deciding.map(|deciding| deciding.stretch)
            })
            .collect();
        assert_eq!(stretches.len(), 499, "all but the first are denied");
        stretches.dedup();
        assert_eq!(stretches, [at(START)], "a dial each {pause} ms");
    }
}

#[test]
fn a_log_has_an_end_whatever_is_dialled() {
    let policy = per_customer(&[until_quiet(2, 1), sliding(256, 2_678_400)]);
    let mut world = World::default();
    for number in 0..1_400 {
        let decision = dial_and_compact(&mut world, &policy, number, number as i64 * 900);
        assert_eq!(decision.verdict == Verdict::Deny, number > 0);
    }
    let longest = world.logs.values().map(Vec::len).max().unwrap();
    assert!(longest <= 512 + 256 + 70, "{longest} entries");
}

#[test]
fn a_repeated_delivery_never_starts_to_count_when_its_first_place_is_removed() {
    let policy = per_customer(&[sliding(1, 60)]);
    let twice = [0, 80 * SECOND].map(|offset| entry(1, offset, EntryStatus::Admitted));
    let later = 150 * SECOND;
    assert_eq!(
        dead(&policy, 2, &twice, later),
        [1],
        "the repeat goes first"
    );
    assert_eq!(dead(&policy, 2, &twice[..1], later), [0]);
}

#[test]
fn whoever_may_be_decided_again_finds_what_stood_before_it() {
    let policy = per_customer(&[sliding(1, 60)]);
    let mut world = World::default();
    world.dial(&policy, &attempt(0, CUSTOMER, CALLER), at(START));
    let crashed = attempt(1, CUSTOMER, CALLER);
    let plan = Plan::new(&policy, OWNER, &crashed);
    world.append(&plan, at(START + 59 * SECOND));
    let now = START + 70 * SECOND;
    dial_and_compact(&mut world, &policy, 2, 70 * SECOND);
    world.append(&plan, at(now));
    assert_eq!(world.decide(&plan, at(now)).verdict, Verdict::Deny);
}

#[test]
fn released_places_of_others_go_after_fifteen_seconds_and_ones_own_after_25() {
    let policy = per_customer(&[sliding(1, 60)]);
    let log = [
        entry(1, 0, EntryStatus::Void),
        entry(2, 0, EntryStatus::Void),
    ];
    assert_eq!(dead(&policy, 2, &log, 15 * SECOND - 1), [0_usize; 0]);
    assert_eq!(dead(&policy, 2, &log, 15 * SECOND), [0]);
    assert_eq!(dead(&policy, 2, &log, 25 * SECOND - 1), [0]);
    assert_eq!(dead(&policy, 2, &log, 25 * SECOND), [0, 1]);
}

#[test]
fn a_burst_that_was_lowered_is_full_and_no_more_whether_it_was_folded_or_not() {
    let paced = |burst: u32| {
        per_customer(&[json!({"kind": "pace", "max": 1, "per_seconds": 60, "burst": burst})])
    };
    let mut world = World::default();
    for number in 0..5 {
        world.dial(&paced(5), &attempt(number, CUSTOMER, CALLER), at(START));
    }
    let asking = attempt(9, CUSTOMER, CALLER);
    let retry_at = |world: &World| {
        let decision = world
            .clone()
            .dial(&paced(1), &asking, at(START + 30 * SECOND));
        decision.deciding.and_then(|deciding| deciding.retry_at)
    };
    let as_it_was = retry_at(&world);
    let higher = paced(5);
    world.compact(
        usize::MAX,
        &Plan::new(&higher, OWNER, &asking),
        at(START + 30 * SECOND),
    );
    assert_eq!(
        world.logs.values().map(Vec::len).sum::<usize>(),
        0,
        "folded"
    );
    assert_eq!(retry_at(&world), as_it_was);
    assert_eq!(as_it_was, Some(at(START + 60 * SECOND)));
}

#[test]
fn a_rate_that_is_no_whole_number_of_microseconds_is_rounded_to_the_slower_side() {
    let policy = per_customer(&[json!({"kind": "pace", "max": 7, "per_seconds": 60})]);
    let intervals = policy
        .rules()
        .iter()
        .map(|rule| rule.limit().emission_interval_us());
    assert_eq!(intervals.collect::<Vec<_>>(), [8_571_429]);
}
