//! What each kind of limit promises in words, at its edges: days and periods of a zone, a pace and its burst.

mod common;

use common::{World, at, attempt, policy};
use jiff::Timestamp;
use ringfence_policy::{Decision, Policy, Verdict};
use serde_json::{Value, json};

const CUSTOMER: &str = "+12065550100";

fn one(limit: Value) -> Policy {
    policy(json!({"rules": [{"id": "r", "per": ["customer"], "limit": limit}]}))
}

fn days(max: u32, days: u32, zone: &str) -> Policy {
    one(json!({"kind": "consecutive_days", "max": max, "days": days, "time_zone": zone}))
}

fn calendar(max: u32, period: &str, zone: &str) -> Policy {
    one(json!({"kind": "calendar", "max": max, "period": period, "time_zone": zone}))
}

fn pace(max: u32, per_seconds: u32, burst: u32) -> Policy {
    one(json!({"kind": "pace", "max": max, "per_seconds": per_seconds, "burst": burst}))
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Dials at these times; true where allowed, and the last decision.
fn dial(world: &mut World, policy: &Policy, times: &[&str]) -> (Vec<bool>, Decision) {
    let decisions: Vec<Decision> = times
        .iter()
        .map(|text| {
            let number = world.logs.values().map(Vec::len).sum::<usize>() as u64;
            world.dial(policy, &attempt(number, CUSTOMER, ""), time(text))
        })
        .collect();
    let allowed = decisions
        .iter()
        .map(|decision| decision.verdict == Verdict::Allow);
    (allowed.collect(), decisions.last().unwrap().clone())
}

fn retry_at(decision: &Decision) -> Timestamp {
    decision.deciding.as_ref().unwrap().retry_at.unwrap()
}

#[test]
fn the_day_of_the_first_attempt_is_day_one_of_consecutive_days() {
    let policy = days(1, 3, "America/New_York");
    // Late on Monday by New York's clocks, when it is Tuesday in UTC.
    let times = [
        "2026-11-24T04:59:59.999Z",
        "2026-11-24T05:00:00Z",
        "2026-11-26T04:59:59.999Z",
    ];
    let (allowed, decision) = dial(&mut World::default(), &policy, &times);
    assert_eq!(allowed, [true, false, false]);
    assert_eq!(
        retry_at(&decision),
        time("2026-11-26T05:00:00Z"),
        "Thursday"
    );
}

#[test]
fn a_day_is_as_long_as_the_clocks_make_it() {
    for (day, before, from) in [
        (
            "the shortest",
            "2026-03-08T05:00:00Z",
            "2026-03-09T04:00:00Z",
        ),
        (
            "the longest",
            "2026-11-01T04:00:00Z",
            "2026-11-02T05:00:00Z",
        ),
    ] {
        for policy in [
            days(1, 1, "America/New_York"),
            calendar(1, "day", "America/New_York"),
        ] {
            let (allowed, decision) = dial(&mut World::default(), &policy, &[before, before]);
            assert_eq!(
                (allowed, retry_at(&decision)),
                (vec![true, false], time(from)),
                "{day}"
            );
        }
    }
}

#[test]
fn a_day_without_midnight_begins_when_the_clocks_have_jumped() {
    let policy = calendar(1, "day", "America/Sao_Paulo");
    let (allowed, decision) = dial(
        &mut World::default(),
        &policy,
        &["2015-10-17T20:00:00Z", "2015-10-18T02:59:59Z"],
    );
    assert_eq!(allowed, [true, false]);
    assert_eq!(
        retry_at(&decision),
        time("2015-10-18T03:00:00Z"),
        "01:00 by the new time"
    );
}

#[test]
fn a_day_that_a_zone_left_out_counts_as_a_day_and_keeps_nobody_waiting() {
    let policy = days(1, 2, "Pacific/Apia");
    // 29 December, and then 31 December at once: the next day but one.
    let (allowed, decision) = dial(
        &mut World::default(),
        &policy,
        &["2011-12-29T20:00:00Z", "2011-12-30T09:59:59Z"],
    );
    assert_eq!(allowed, [true, false]);
    assert_eq!(retry_at(&decision), time("2011-12-30T10:00:00Z"));
}

#[test]
fn weeks_begin_on_monday_and_months_on_the_first_by_the_zones_clocks() {
    for (period, first, last, next) in [
        (
            "week",
            "2026-11-22T14:59:59Z",
            "2026-11-22T15:00:00Z",
            "2026-11-29T15:00:00Z",
        ),
        (
            "month",
            "2026-11-30T14:59:59Z",
            "2026-11-30T15:00:00Z",
            "2026-12-31T15:00:00Z",
        ),
    ] {
        let policy = calendar(1, period, "Asia/Tokyo");
        let (allowed, decision) = dial(&mut World::default(), &policy, &[first, last, last]);
        assert_eq!(
            (allowed, retry_at(&decision)),
            (vec![true, true, false], time(next)),
            "{period}"
        );
    }
}

#[test]
fn a_burst_may_be_taken_at_once_and_comes_back_at_the_pace() {
    let policy = pace(2, 60, 3);
    let noon = "2026-11-25T12:00:00Z";
    let mut world = World::default();
    let (allowed, decision) = dial(&mut world, &policy, &[noon, noon, noon, noon]);
    assert_eq!(allowed, [true, true, true, false]);
    assert_eq!(retry_at(&decision), time("2026-11-25T12:00:30Z"));
    assert_eq!((decision.rules[0].count, decision.rules[0].limit), (3, 3));
    let times = [
        "2026-11-25T12:00:29.999Z",
        "2026-11-25T12:00:30Z",
        "2026-11-25T12:00:30Z",
        "2026-11-25T12:01:00Z",
    ];
    assert_eq!(
        dial(&mut world, &policy, &times).0,
        [false, true, false, true]
    );
}

#[test]
fn a_pace_without_a_burst_spaces_its_attempts_evenly() {
    let policy = one(json!({"kind": "pace", "max": 3, "per_seconds": 10}));
    // A third of ten seconds is no whole millisecond: never a moment too early.
    let times = [
        "2026-11-25T12:00:00Z",
        "2026-11-25T12:00:03.333Z",
        "2026-11-25T12:00:03.334Z",
        "2026-11-25T12:00:06.667Z",
        "2026-11-25T12:00:06.668Z",
    ];
    assert_eq!(
        dial(&mut World::default(), &policy, &times).0,
        [true, false, true, false, true]
    );
}

#[test]
fn what_a_pace_rule_in_shadow_let_go_fills_its_burst_and_no_more() {
    let shadow = policy(json!({"mode": "shadow", "rules": [
        {"id": "r", "per": ["customer"], "limit": {"kind": "pace", "max": 1, "per_seconds": 60, "burst": 2}}
    ]}));
    let mut world = World::default();
    for number in 0..100 {
        world.dial(
            &shadow,
            &attempt(number, CUSTOMER, ""),
            at(1_795_000_000_000),
        );
    }
    let denied = world.dial(
        &pace(1, 60, 2),
        &attempt(100, CUSTOMER, ""),
        at(1_795_000_000_000),
    );
    assert_eq!(
        retry_at(&denied),
        at(1_795_000_060_000),
        "not a hundred minutes"
    );
}

#[test]
fn another_rate_takes_over_how_much_of_the_burst_is_taken() {
    let mut world = World::default();
    let minute = 60_000;
    let start = 1_795_000_000_000;
    for number in 0..4 {
        world.dial(&pace(1, 60, 4), &attempt(number, CUSTOMER, ""), at(start));
    }
    let compacting = attempt(9, CUSTOMER, "");
    let before = pace(1, 60, 4);
    let plan = ringfence_policy::Plan::new(&before, common::OWNER, &compacting);
    world.compact(64, &plan, at(start + minute));
    assert_eq!(
        world.logs.values().map(Vec::len).sum::<usize>(),
        0,
        "all folded"
    );
    let slower = pace(1, 120, 4);
    let ask = |offset| {
        world
            .clone()
            .dial(&slower, &attempt(10, CUSTOMER, ""), at(start + offset))
    };
    assert_eq!(
        ask(minute).rules[0].count,
        4,
        "a minute frees no place at one in two"
    );
    assert_eq!(ask(minute).verdict, Verdict::Deny);
    assert_eq!(ask(2 * minute).verdict, Verdict::Allow);
}

#[test]
fn a_contact_that_was_denied_and_charged_after_all_is_one_attempt_of_a_series_and_one_admission() {
    let policy = policy(json!({"rules": [
        {"id": "series", "per": ["customer"], "limit": {"kind": "until_quiet", "block_at": 2, "quiet_seconds": 60}},
        {"id": "window", "per": ["customer"], "limit": {"kind": "sliding", "max": 9, "window_seconds": 60}},
    ]}));
    let mut world = World::default();
    let start = 1_795_000_000_000;
    world.dial(&policy, &attempt(0, CUSTOMER, ""), at(start));
    let denied = attempt(1, CUSTOMER, "");
    assert_eq!(
        world.dial(&policy, &denied, at(start)).verdict,
        Verdict::Deny
    );
    // Its contact could not be stopped, so it is appended once more, to stay.
    world.append(
        &ringfence_policy::Plan::new(&policy, common::OWNER, &denied),
        at(start),
    );
    for log in world.logs.values_mut() {
        log.last_mut().unwrap().status = ringfence_policy::EntryStatus::Charged;
    }
    let counts = world
        .dial(&policy, &attempt(2, CUSTOMER, ""), at(start))
        .rules;
    assert_eq!((counts[0].count, counts[1].count), (2, 2));
}
