//! Exempt and blocked numbers: what a list entry does to a decision, and when it stops doing it.

mod common;

use common::{OWNER, World, at, attempt, policy};
use jiff::Timestamp;
use ringfence_policy::{
    Attempt, Decision, List, Listing, OwnEntry, Plan, Policy, Verdict, decide::decide,
};
use serde_json::json;

const START: i64 = 1_795_000_000_000;
const CUSTOMER: &str = "+12065550100";
const CALLER: &str = "+12065550199";

fn in_mode(mode: &str) -> Policy {
    policy(json!({"mode": mode, "rules": [
        {"id": "window", "per": ["customer"], "limit": {"kind": "sliding", "max": 1, "window_seconds": 60}},
        {"id": "series", "per": ["caller_id"], "limit": {"kind": "until_quiet", "block_at": 2, "quiet_seconds": 60}},
    ]}))
}

fn listing(list: List, expires_at: Option<Timestamp>) -> Listing {
    Listing { list, expires_at }
}

/// Decides an attempt to the listed number, where another has just gone out.
fn decided(policy: &Policy, attempt: &Attempt, listing: Option<&Listing>) -> Decision {
    let mut world = World::default();
    world.dial(policy, &common::attempt(0, CUSTOMER, CALLER), at(START));
    let plan = Plan::new(policy, OWNER, attempt);
    world.append(&plan, at(START));
    decide(&plan, &world.read(&plan), listing, at(START))
}

fn second(policy: &Policy, listing: &Listing) -> Decision {
    decided(policy, &attempt(1, CUSTOMER, CALLER), Some(listing))
}

#[test]
fn an_exempt_number_goes_out_over_every_limit_and_charges_nothing() {
    for mode in ["enforce", "shadow"] {
        let decision = second(&in_mode(mode), &listing(List::Exemption, None));
        assert_eq!(decision.verdict, Verdict::Exempt);
        assert_eq!(decision.own_entries, [OwnEntry::Void, OwnEntry::Void]);
        assert_eq!(decision.deciding, None);
        assert!(
            decision
                .rules
                .iter()
                .all(|outcome| !outcome.denied && outcome.retry_at.is_none())
        );
        assert_eq!(decision.rules[0].count, 1, "still told");
    }
}

#[test]
fn a_blocked_number_is_denied_under_every_limit_and_charges_nothing() {
    let policy = in_mode("enforce");
    let fresh = attempt(1, "+12065550111", "");
    let decision = decided(&policy, &fresh, Some(&listing(List::Block, None)));
    let deciding = decision.deciding.unwrap();
    assert_eq!(decision.verdict, Verdict::Deny);
    assert_eq!(
        (deciding.rule_id, deciding.reason, deciding.retry_at),
        (None, "blocked", None)
    );
    assert_eq!(decision.own_entries, [OwnEntry::Void]);
    let over_a_series = second(&policy, &listing(List::Block, None));
    assert_eq!(over_a_series.own_entries, [OwnEntry::Void, OwnEntry::Void]);
}

#[test]
fn a_block_with_an_end_tells_when_nothing_will_deny_any_more() {
    let policy = in_mode("enforce");
    let retry_at = |expires_at| {
        second(&policy, &listing(List::Block, Some(expires_at)))
            .deciding
            .unwrap()
            .retry_at
    };
    assert_eq!(retry_at(at(START + 3_600_000)), Some(at(START + 3_600_000)));
    let series_ends = at(START + 60_001);
    assert_eq!(
        retry_at(at(START + 1_000)),
        Some(series_ends),
        "the rules deny for longer"
    );
}

#[test]
fn a_policy_in_shadow_only_says_that_it_would_block_and_one_that_is_off_says_nothing() {
    let block = listing(List::Block, None);
    let shadow = second(&in_mode("shadow"), &block);
    assert_eq!(shadow.verdict, Verdict::WouldDeny);
    assert_eq!(shadow.deciding.unwrap().reason, "blocked");
    assert_eq!(
        shadow.own_entries,
        [OwnEntry::Keep, OwnEntry::Keep],
        "the call goes out and counts"
    );
    for list in [List::Block, List::Exemption] {
        assert_eq!(
            second(&in_mode("off"), &listing(list, None)).verdict,
            Verdict::Allow
        );
    }
}

#[test]
fn an_expired_entry_says_nothing_however_long_it_stays_in_the_store() {
    let policy = in_mode("enforce");
    for list in [List::Exemption, List::Block] {
        let last_moment = second(&policy, &listing(list, Some(at(START + 1))));
        assert!(
            last_moment.verdict == Verdict::Exempt
                || last_moment.deciding.unwrap().reason == "blocked"
        );
        let expired = second(&policy, &listing(list, Some(at(START))));
        assert_eq!(
            expired,
            decided(&policy, &attempt(1, CUSTOMER, CALLER), None)
        );
    }
}

#[test]
fn an_emergency_number_goes_out_even_if_it_is_blocked() {
    let emergency = attempt(1, "911", CALLER);
    let decision = decided(
        &in_mode("enforce"),
        &emergency,
        Some(&listing(List::Block, None)),
    );
    assert_eq!(decision.verdict, Verdict::Emergency);
}

#[test]
fn a_mark_proves_an_earlier_denial_and_an_exemption_leaves_none() {
    let policy = in_mode("enforce");
    let mut world = World::default();
    world.dial(&policy, &attempt(0, CUSTOMER, CALLER), at(START));
    let denied = attempt(1, CUSTOMER, CALLER);
    assert!(!world.dial(&policy, &denied, at(START)).denied_before);
    let plan = Plan::new(&policy, OWNER, &denied);
    let later = at(START + 70_000);
    let mut compacted = world.clone();
    compacted.compact(usize::MAX, &plan, later);
    compacted.append(&plan, later);
    let marks_gone = compacted.decide(&plan, later);
    assert!(!marks_gone.denied_before, "then the record alone knows");
    world.append(&plan, later);
    let again = decide(&plan, &world.read(&plan), None, later);
    assert_eq!(again.verdict, Verdict::Allow, "by itself");
    assert!(again.denied_before);
    let exempt = listing(List::Exemption, None);
    assert!(!decide(&plan, &world.read(&plan), Some(&exempt), later).denied_before);
}
