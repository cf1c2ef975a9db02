//! What is told to a crowd, in whose line reservations stand that are being denied and have not been marked yet: when to try
//! again, as if they were gone.

#[expect(dead_code, reason = "shared with tests that mark and compact")]
mod common;

use common::{OWNER, World, at, attempt, policy};
use jiff::Timestamp;
use ringfence_policy::Plan;
use serde_json::{Value, json};

const CUSTOMER: &str = "+12065550100";
const CALLER: &str = "+12065550199";
const MIDNIGHT: i64 = 1_794_960_000_000;
const SECOND: i64 = 1_000;
const DAY: i64 = 86_400 * SECOND;

/// All of these stand in the line, unmarked; what is told to the last of them.
fn told(limit: Value, times: &[i64]) -> Option<Timestamp> {
    let policy = policy(json!({"rules": [{"id": "rule", "per": ["customer"], "limit": limit}]}));
    let mut world = World::default();
    let mut retry_at = None;
    for (number, time) in (0..).zip(times) {
        let attempt = attempt(number, CUSTOMER, CALLER);
        let plan = Plan::new(&policy, OWNER, &attempt);
        world.append(&plan, at(MIDNIGHT + time));
        let decision = world.decide(&plan, at(MIDNIGHT + time));
        retry_at = decision.deciding.and_then(|deciding| deciding.retry_at);
    }
    retry_at
}

#[test]
fn a_place_that_became_free_meanwhile_is_counted_as_taken_anew() {
    let limit = json!({"kind": "sliding", "max": 2, "window_seconds": 5});
    // The third found the first gone; the fourth is being denied; the second leaves first.
    let times = [0, 4_000, 5_500, 5_600, 6_000];
    assert_eq!(told(limit, &times), Some(at(MIDNIGHT + 9_000)));
}

#[test]
fn a_day_that_has_begun_meanwhile_is_a_day_less_to_look_back_on() {
    let limit = json!({"kind": "consecutive_days", "max": 2, "days": 3, "time_zone": "UTC"});
    let noon = DAY / 2;
    let times = [
        noon,
        DAY + noon,
        3 * DAY - SECOND,
        3 * DAY + SECOND,
        3 * DAY + 2 * SECOND,
    ];
    assert_eq!(told(limit, &times), Some(at(MIDNIGHT + 4 * DAY)));
}

#[test]
fn a_pace_is_told_as_it_will_be_when_the_crowd_is_gone() {
    let limit = json!({"kind": "pace", "max": 1, "per_seconds": 5});
    assert_eq!(
        told(limit, &[0, 1_000, 2_000]),
        Some(at(MIDNIGHT + 5_000)),
        "the second is being denied"
    );
}

/// Whoever has stood there for ten seconds has been decided: it went out, be it over the limit.
#[test]
fn what_is_no_crowd_any_more_is_counted_as_it_stands() {
    let limit = json!({"kind": "sliding", "max": 1, "window_seconds": 60});
    let times = [0, 5_000, 20_000];
    assert_eq!(told(limit, &times), Some(at(MIDNIGHT + 65_000)));
}
