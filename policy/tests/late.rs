//! What the store takes of a delivery after that delivery's place was released: nobody waits for it any more, and it
//! counts for nothing. Another delivery's place does.

#[expect(dead_code, reason = "shared with tests that dial")]
mod common;

use common::{OWNER, at, attempt, contact, policy};
use ringfence_policy::EntryStatus::{
    self, Admitted, Charged, Denied, DeniedAlone, Void, VoidAlone,
};
use ringfence_policy::{Entry, Log, Plan, Policy, Verdict, compact, decide::decide};
use serde_json::{Value, json};

const CUSTOMER: &str = "+12065550100";
const START: i64 = 1_795_000_000_000;
const SECOND: i64 = 1_000;

fn one(limit: Value) -> Policy {
    policy(json!({"rules": [{"id": "rule", "per": ["customer"], "limit": limit}]}))
}

fn entry(number: u64, offset: i64, status: EntryStatus) -> Entry {
    Entry {
        status,
        at_ms: u64::try_from(START + offset).unwrap(),
        contact: contact(number),
    }
}

/// Contact 1 stands there like this, all at once; whether a second contact still finds a place.
fn admits(limit: Value, statuses: &[EntryStatus]) -> bool {
    let entries = statuses.iter().map(|status| entry(1, 0, *status));
    admits_behind(limit, entries)
}

fn admits_behind(limit: Value, entries: impl Iterator<Item = Entry>) -> bool {
    let policy = one(limit);
    let second = attempt(2, CUSTOMER, "");
    let plan = Plan::new(&policy, OWNER, &second);
    let log: Log = entries.chain([entry(2, SECOND, Admitted)]).collect();
    decide(&plan, &[log], None, at(START + SECOND)).verdict == Verdict::Allow
}

fn kinds() -> [Value; 5] {
    [
        json!({"kind": "sliding", "max": 1, "window_seconds": 60}),
        json!({"kind": "consecutive_days", "max": 1, "days": 2, "time_zone": "UTC"}),
        json!({"kind": "calendar", "max": 1, "period": "month", "time_zone": "UTC"}),
        json!({"kind": "pace", "max": 1, "per_seconds": 60}),
        json!({"kind": "until_quiet", "block_at": 2, "quiet_seconds": 60}),
    ]
}

#[test]
fn whatever_comes_behind_its_released_place_counts_for_nothing() {
    for limit in kinds() {
        assert!(!admits(limit.clone(), &[Admitted]), "{limit}");
        assert!(
            admits(limit.clone(), &[Void, Admitted, Admitted]),
            "{limit}"
        );
    }
}

#[test]
fn what_an_until_quiet_rule_denied_stays_one_attempt_and_no_admission() {
    let statuses = [Denied, Admitted];
    let sliding = json!({"kind": "sliding", "max": 1, "window_seconds": 60});
    assert!(admits(sliding, &statuses));
    let series =
        |block_at| json!({"kind": "until_quiet", "block_at": block_at, "quiet_seconds": 60});
    assert!(!admits(series(2), &statuses));
    assert!(admits(series(3), &statuses));
}

#[test]
fn a_call_that_could_not_be_stopped_counts_behind_its_released_place_once() {
    for limit in kinds() {
        for released in [Void, Denied, VoidAlone] {
            assert!(!admits(limit.clone(), &[released, Charged]), "{limit}");
            assert!(
                !admits(limit.clone(), &[released, Admitted, Charged]),
                "{limit}"
            );
        }
    }
    let two = json!({"kind": "sliding", "max": 2, "window_seconds": 60});
    assert!(admits(two.clone(), &[Void, Charged, Charged, Admitted]));
    assert!(admits(two, &[Admitted, Charged]));
}

/// The denial may be known to nobody else, so another delivery may have let the contact go.
#[test]
fn a_place_that_was_released_without_a_record_hides_nothing() {
    for limit in kinds() {
        for released in [VoidAlone, DeniedAlone] {
            assert!(!admits(limit.clone(), &[released, Admitted]), "{limit}");
        }
    }
    let sliding = json!({"kind": "sliding", "max": 1, "window_seconds": 60});
    assert!(admits(sliding, &[VoidAlone, DeniedAlone]));
}

#[test]
fn another_delivery_of_the_contact_has_a_place_of_its_own() {
    for limit in kinds() {
        let entries = [entry(1, 0, Void), entry(1, 1, Admitted)];
        assert!(
            !admits_behind(limit.clone(), entries.into_iter()),
            "{limit}"
        );
        // Whatever else was released in the same millisecond.
        let entries = [entry(1, 0, Void), entry(3, 1, Void), entry(1, 1, Admitted)];
        assert!(
            !admits_behind(limit.clone(), entries.into_iter()),
            "{limit}"
        );
    }
}

/// The first of two deliveries is released a moment before the second: whoever looks in between finds no more than before.
#[test]
fn a_contact_counts_where_its_first_delivery_stood_until_all_of_its_places_are_released() {
    let limits = [
        json!({"kind": "sliding", "max": 1, "window_seconds": 60}),
        json!({"kind": "pace", "max": 1, "per_seconds": 60}),
        json!({"kind": "until_quiet", "block_at": 2, "quiet_seconds": 59}),
    ];
    let crowd = || (100..140).map(|number| entry(number, 0, Void));
    for limit in limits {
        for released in [Admitted, Void] {
            let own = [entry(1, 0, released), entry(1, 20 * SECOND, Admitted)];
            let admits_at = |offset: i64, entries: Vec<Entry>| {
                let policy = one(limit.clone());
                let asking = attempt(9, CUSTOMER, "");
                let plan = Plan::new(&policy, OWNER, &asking);
                let log: Log = entries.into_iter().collect();
                let decision = decide(&plan, &[log], None, at(START + offset));
                decision.verdict == Verdict::Allow
            };
            for entries in [own.to_vec(), crowd().chain(own).collect()] {
                assert!(
                    !admits_at(59 * SECOND, entries.clone()),
                    "{limit} {released:?}"
                );
                assert!(admits_at(60 * SECOND, entries), "{limit} {released:?}");
            }
        }
    }
}

#[test]
fn long_logs_are_read_as_short_ones() {
    let crowd = || (100..140).map(|number| entry(number, 0, Void));
    for limit in kinds() {
        for (own, admits) in [
            (vec![Void, Admitted], true),
            (vec![Void, Admitted, Charged], false),
            (vec![VoidAlone, Admitted], false),
            (vec![Admitted], false),
        ] {
            let own = own.into_iter().map(|status| entry(1, 0, status));
            assert_eq!(
                admits_behind(limit.clone(), crowd().chain(own)),
                admits,
                "{limit}"
            );
        }
    }
}

/// Were the released place removed first, what came late would begin to count.
#[test]
fn a_released_place_outlasts_what_it_hides() {
    let policy = one(json!({"kind": "sliding", "max": 1, "window_seconds": 3_600}));
    let asking = attempt(9, CUSTOMER, "");
    let plan = Plan::new(&policy, OWNER, &asking);
    for released in [Void, Denied] {
        let mut log = vec![entry(1, 0, released), entry(1, 0, Admitted)];
        let removed = |log: &[Entry], offset: i64, most: usize| {
            let log: Log = log.iter().copied().collect();
            compact(&plan, 0, &log, at(START + offset), most)
                .map_or_else(Vec::new, |compaction| compaction.remove)
        };
        for offset in [15 * SECOND, 25 * SECOND - 1] {
            assert_eq!(removed(&log, offset, 64), [0_usize; 0], "{offset}");
        }
        for most in [1, 64] {
            assert_eq!(removed(&log, 25 * SECOND, most), [1], "{most}");
        }
        log.pop();
        assert_eq!(removed(&log, 25 * SECOND, 64), [0]);
    }
}
