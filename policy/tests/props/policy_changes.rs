//! A policy is changed while calls run: what is kept of the counts.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cases;
use crate::common::{World, at, attempt};
use crate::dials::{Dial, ask, calendar, compact, days, histories, limits, one};

/// A limit, and the same with another maximum or looking back no further.
fn changes() -> impl Strategy<Value = (Value, Value)> {
    let number = |limit: &Value, name: &str| limit[name].as_u64().unwrap();
    let any_limit = prop_oneof![2 => limits(1..6), 1 => days(1..6), 1 => calendar(1..6)];
    (any_limit, 2..8_u64, 1..5_u64).prop_map(move |(before, other, shrinks)| {
        let mut after = before.clone();
        match before["kind"].as_str().unwrap() {
            "until_quiet" => after["block_at"] = json!(other),
            // What a pace has taken is kept, however much may be taken.
            "pace" => after["burst"] = json!(other.max(number(&before, "burst"))),
            kind => {
                after["max"] = json!(other);
                let length = if kind == "sliding" {
                    "window_seconds"
                } else {
                    "days"
                };
                if after[length].is_u64() {
                    after[length] = json!((number(&before, length) / shrinks).max(1));
                }
            }
        }
        (before, after)
    })
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn another_maximum_and_a_shorter_window_keep_live_counts_compacted_or_not(
        (before, after) in changes(), history in histories(), later in 0..20_000_i64,
    ) {
        let (before, after) = (one(&before), one(&after));
        let (mut compacted, mut whole) = (World::default(), World::default());
        let mut last = None;
        for (number, dial, now) in history.timed() {
            let attempt = attempt(number, dial.customer, dial.caller_id);
            compacted.dial(&before, &attempt, at(now));
            whole.dial(&before, &attempt, at(now));
            compact(&mut compacted, &before, number, dial, now, 64);
            last = Some((dial, now));
        }
        let (dial, now): (&Dial, i64) = last.unwrap();
        let told = |world: &World| {
            let decision = ask(world, &after, 9_000, dial, now + later);
            (decision.verdict, decision.rules[0].count)
        };
        prop_assert_eq!(told(&compacted), told(&whole));
    }
}
