//! Random histories and rules.

use proptest::prelude::*;
use ringfence_policy::{Decision, Plan, Policy};
use serde_json::{Value, json};

use crate::common::{OWNER, World, at, attempt, policy};

/// Times next to which days are short, long, skipped or lack their midnight, each with a day to spare.
const STARTS: [i64; 5] = [
    1_795_000_000_000, // 2026-11-18, an ordinary Wednesday
    1_772_884_800_000, // 2026-03-07, before New York's shortest day
    1_793_448_000_000, // 2026-10-31, before its longest, and before a month's end
    1_325_073_600_000, // 2011-12-28, before the day that Apia skipped, and before a year's end
    1_444_996_800_000, // 2015-10-16, before a day that has no midnight in Sao Paulo
];

/// When, whom, from which number.
#[derive(Clone, Debug)]
pub struct Dial {
    pub step_ms: i64,
    pub customer: &'static str,
    pub caller_id: &'static str,
}

#[derive(Clone, Debug)]
pub struct History {
    pub start: i64,
    pub dials: Vec<Dial>,
}

impl History {
    /// Each dial with its number and its time.
    pub fn timed(&self) -> impl Iterator<Item = (u64, &Dial, i64)> {
        let (mut now, mut latest) = (self.start, self.start);
        (0_u64..).zip(&self.dials).map(move |(number, dial)| {
            now = (now + dial.step_ms).max(latest - 4_000);
            latest = latest.max(now);
            (number, dial, now)
        })
    }
}

/// The clock of each host may be wrong by as much as two seconds.
fn skew() -> impl Strategy<Value = i64> {
    -2_000..0_i64
}

pub fn histories() -> impl Strategy<Value = History> {
    let quick = prop_oneof![3 => 0..3_000_i64, 2 => 0..40_000_i64, 1 => skew(), 1 => Just(10_000), 1 => 0..200_000_i64];
    let slow = prop_oneof![2 => 0..30_000_i64, 1 => skew(), 2 => 0..10_800_000_i64, 1 => 0..100_000_000_i64];
    prop_oneof![2 => history(quick, 1..60), 1 => history(slow, 1..60)]
}

pub fn history(
    step: impl Strategy<Value = i64>,
    length: std::ops::Range<usize>,
) -> impl Strategy<Value = History> {
    let customer =
        prop_oneof![4 => Just("+12065550100"), 2 => Just("+442079460000"), 1 => Just("odd")];
    let caller_id = prop_oneof![4 => Just("+12065550199"), 1 => Just("")];
    let dial = (step, customer, caller_id).prop_map(|(step_ms, customer, caller_id)| Dial {
        step_ms,
        customer,
        caller_id,
    });
    let start = prop::sample::select(STARTS.to_vec());
    (start, prop::collection::vec(dial, length)).prop_map(|(start, dials)| History { start, dials })
}

fn zones() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "UTC",
        "America/New_York",
        "Pacific/Apia",
        "America/Sao_Paulo",
        "Asia/Kathmandu",
    ])
}

pub fn limits(max: std::ops::Range<u32>) -> impl Strategy<Value = Value> {
    let seconds = prop_oneof![2 => 1..60_u32, 1 => 60..400_000_u32];
    prop_oneof![
        2 => (max.clone(), seconds.clone()).prop_map(|(max, window)| json!({"kind": "sliding", "max": max, "window_seconds": window})),
        2 => (2..6_u32, 1..20_u32).prop_map(|(at, quiet)| json!({"kind": "until_quiet", "block_at": at, "quiet_seconds": quiet})),
        1 => days(max.clone()),
        1 => calendar(max),
        2 => (1..8_u32, seconds, 1..6_u32).prop_map(|(max, per, burst)| json!({"kind": "pace", "max": max, "per_seconds": per, "burst": burst})),
    ]
}

pub fn days(max: std::ops::Range<u32>) -> impl Strategy<Value = Value> {
    (max, 1..5_u32, zones()).prop_map(
        |(max, days, zone)| json!({"kind": "consecutive_days", "max": max, "days": days, "time_zone": zone}),
    )
}

pub fn calendar(max: std::ops::Range<u32>) -> impl Strategy<Value = Value> {
    let period = prop::sample::select(vec!["day", "week", "month"]);
    (max, period, zones()).prop_map(
        |(max, period, zone)| json!({"kind": "calendar", "max": max, "period": period, "time_zone": zone}),
    )
}

pub fn rules(most: usize) -> impl Strategy<Value = Vec<Value>> {
    rules_with(limits(1..6), most)
}

pub fn rules_with(
    limit: impl Strategy<Value = Value>,
    most: usize,
) -> impl Strategy<Value = Vec<Value>> {
    let per = prop_oneof![
        2 => Just(json!(["customer"])),
        1 => Just(json!(["caller_id"])),
        1 => Just(json!(["customer", "caller_id"]))
    ];
    let when =
        prop_oneof![2 => Just(json!({})), 1 => Just(json!({"destination_prefixes": ["+1"]}))];
    let mode = prop_oneof![4 => Just("enforce"), 1 => Just("shadow")];
    prop::collection::vec((per, when, limit, mode), 1..=most).prop_map(|parts| {
        let rule = |(index, (per, when, limit, mode))| json!({"id": format!("rule-{index}"), "per": per, "when": when, "limit": limit, "mode": mode});
        parts.into_iter().enumerate().map(rule).collect()
    })
}

pub fn policy_of(rules: &[Value]) -> Policy {
    policy(json!({ "rules": rules }))
}

pub fn one(limit: &Value) -> Policy {
    policy_of(&[json!({"id": "r", "per": ["customer"], "limit": limit})])
}

/// Plays the dials; after each, hands the world before it, the number of the contact, the dial, its time and decision.
pub fn play(
    policy: &Policy,
    history: &History,
    mut look: impl FnMut(&World, u64, &Dial, i64, &Decision),
) -> World {
    let mut world = World::default();
    for (number, dial, now) in history.timed() {
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

/// What would be decided, leaving the world as it is.
pub fn ask(world: &World, policy: &Policy, who: u64, dial: &Dial, now: i64) -> Decision {
    world.clone().dial(
        policy,
        &attempt(who, dial.customer, dial.caller_id),
        at(now),
    )
}

pub fn compact(
    world: &mut World,
    policy: &Policy,
    number: u64,
    dial: &Dial,
    now: i64,
    most: usize,
) {
    let attempt = attempt(number, dial.customer, dial.caller_id);
    world.compact(most, &Plan::new(policy, OWNER, &attempt), at(now));
}
