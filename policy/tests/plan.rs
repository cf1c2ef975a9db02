//! Which rules an attempt meets, and which meters they read.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use ringfence_policy::{
    Attempt, ContactKey, LimitsElsewhere, Number, Owner, Plan, Policy, Rule, Scope,
};
use serde_json::{Value, json};

const OWNER: Owner<'static> = Owner {
    instance_arn: "arn:aws:connect:us-east-1:111122223333:instance/one",
    tenant_id: "ten_1",
};
const QUEUE: &str = "arn:aws:connect:us-east-1:111122223333:instance/one/queue/7d1c";
const AGENT: &str = "arn:aws:connect:us-east-1:111122223333:instance/one/agent/a1";

/// An attempt of which nothing is known.
fn bare() -> Attempt {
    Attempt {
        contact: ContactKey([1; 16]),
        customer: None,
        customer_country: None,
        caller_id: None,
        agent: None,
        queue: None,
        attributes: BTreeMap::new(),
        dialled: Vec::new(),
    }
}

fn call() -> Attempt {
    Attempt {
        contact: ContactKey([1; 16]),
        customer: Some(Number::E164("+12065550100".to_owned())),
        caller_id: Some(Number::E164("+442079460000".to_owned())),
        customer_country: Some("US".to_owned()),
        agent: Some(AGENT.to_owned()),
        queue: Some(QUEUE.to_owned()),
        attributes: BTreeMap::from([
            ("campaign".to_owned(), "spring".to_owned()),
            ("empty".to_owned(), String::new()),
        ]),
        dialled: Vec::new(),
    }
}

fn rule(id: &str, changes: &Value) -> Value {
    let mut rule = json!({
        "id": id, "per": ["customer"], "limit": {"kind": "sliding", "max": 3, "window_seconds": 60}
    });
    rule.as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    rule
}

fn policy(document: Value) -> Policy {
    serde_json::from_value(document).unwrap()
}

fn one(changes: &Value) -> Policy {
    policy(json!({"rules": [rule("r", changes)]}))
}

/// Why the rule says nothing about the attempt, if it does not.
fn not_applied(changes: &Value, attempt: &Attempt) -> Option<&'static str> {
    let policy = one(changes);
    let plan = Plan::new(&policy, OWNER, attempt);
    let why = plan.rules().next().unwrap().2.map(|why| why.as_str());
    assert_eq!(why.is_some(), plan.meters().is_empty());
    why
}

fn keys(policy: &Policy, attempt: &Attempt) -> Vec<String> {
    let plan = Plan::new(policy, OWNER, attempt);
    plan.meters().iter().map(|key| key.stored()).collect()
}

fn key(changes: &Value) -> String {
    keys(&one(changes), &call()).remove(0)
}

#[test]
fn a_filter_lets_through_what_one_of_its_items_fits() {
    for (when, why) in [
        (json!({"destination_prefixes": ["+44", "+1206"]}), None),
        (
            json!({"destination_prefixes": ["+44"]}),
            Some("other_destination"),
        ),
        (json!({"destination_countries": ["CA", "US"]}), None),
        (
            json!({"destination_countries": ["CA"]}),
            Some("other_destination"),
        ),
        (json!({"caller_id_prefixes": ["+44"]}), None),
        (
            json!({"caller_id_prefixes": ["+1"]}),
            Some("other_caller_id"),
        ),
        (json!({"queues": ["other", QUEUE]}), None),
        (json!({"queues": ["7d1c"]}), None),
        (json!({"queues": ["d1c"]}), Some("other_queue")),
        (
            json!({"attributes": {"campaign": ["autumn", "spring"]}}),
            None,
        ),
        (
            json!({"attributes": {"campaign": ["Spring"]}}),
            Some("other_attributes"),
        ),
        (
            json!({"attributes": {"Campaign": ["spring"]}}),
            Some("other_attributes"),
        ),
        (
            json!({"attributes": {"account": ["spring"]}}),
            Some("other_attributes"),
        ),
    ] {
        assert_eq!(not_applied(&json!({"when": when}), &call()), why, "{when}");
    }
}

#[test]
fn all_filters_that_are_given_must_hold() {
    let when = json!({
        "destination_prefixes": ["+1"], "destination_countries": ["US"], "caller_id_prefixes": ["+44"],
        "queues": ["7d1c"], "attributes": {"campaign": ["spring"]}
    });
    assert_eq!(not_applied(&json!({"when": when}), &call()), None);
    let wrong = json!({
        "destination_prefixes": ["+2"], "destination_countries": ["CA"], "caller_id_prefixes": ["+2"],
        "queues": ["other"], "attributes": {"campaign": ["spring"], "account": ["1"]}
    });
    for (name, value) in wrong.as_object().unwrap() {
        let mut when = when.clone();
        when[name] = value.clone();
        assert!(
            not_applied(&json!({"when": when}), &call()).is_some(),
            "{name}"
        );
    }
}

#[test]
fn a_filter_turns_away_what_lacks_the_thing_it_asks_for() {
    for (when, why) in [
        (json!({"destination_prefixes": ["+1"]}), "other_destination"),
        (
            json!({"destination_countries": ["US"]}),
            "other_destination",
        ),
        (json!({"caller_id_prefixes": ["+1"]}), "other_caller_id"),
        (json!({"queues": ["7d1c"]}), "other_queue"),
        (
            json!({"attributes": {"campaign": ["spring"]}}),
            "other_attributes",
        ),
    ] {
        assert_eq!(not_applied(&json!({"when": when}), &bare()), Some(why));
    }
    let typed = Attempt {
        customer: Some(Number::Raw("2065550100".to_owned())),
        ..bare()
    };
    let when = json!({"destination_prefixes": ["+2"]});
    assert_eq!(
        not_applied(&json!({"when": when}), &typed),
        Some("other_destination")
    );
}

#[test]
fn a_rule_does_not_apply_to_what_lacks_a_dimension_it_counts_per() {
    for (dimension, why) in [
        ("customer", "no_customer"),
        ("caller_id", "no_caller_id"),
        ("agent", "no_agent"),
        ("queue", "no_queue"),
        ("attribute:campaign", "no_attribute"),
    ] {
        assert_eq!(
            not_applied(&json!({"per": [dimension]}), &bare()),
            Some(why)
        );
        assert_eq!(not_applied(&json!({"per": [dimension]}), &call()), None);
    }
    let per = json!({"per": ["customer", "attribute:account"]});
    assert_eq!(not_applied(&per, &call()), Some("no_attribute"));
}

#[test]
fn an_empty_attribute_is_as_good_as_none() {
    let per = json!({"per": ["attribute:empty"]});
    assert_eq!(not_applied(&per, &call()), Some("no_attribute"));
}

#[test]
fn keys_are_what_deployed_meters_are_called() {
    let when = json!({"destination_prefixes": ["+44", "+1"]});
    let owner = OWNER.instance_arn;
    assert_eq!(
        key(&json!({"per": ["caller_id", "customer"], "when": when})),
        format!("{owner}|customer+caller_id;to=+1,+44|+12065550100,+442079460000")
    );
    assert_eq!(
        key(&json!({"per": ["attribute:campaign"], "scope": "tenant"})),
        "ten_1|attribute:campaign|spring"
    );
    let typed = Attempt {
        customer: Some(Number::Raw("5550100".to_owned())),
        ..call()
    };
    assert_eq!(
        keys(&one(&json!({})), &typed),
        [format!("{owner}|customer|raw:5550100")]
    );
}

#[test]
fn the_order_in_which_a_rule_is_written_plays_no_part() {
    let one_way = json!({"per": ["customer", "agent"], "when": {"queues": ["7d1c", "x"], "destination_countries": ["US", "CA"]}});
    let other_way = json!({"per": ["agent", "customer"], "when": {"destination_countries": ["CA", "US"], "queues": ["x", "7d1c"]}});
    assert_eq!(key(&one_way), key(&other_way));
}

#[test]
fn how_many_over_what_time_under_which_name_and_mode_is_no_part_of_a_key() {
    let original = key(&json!({}));
    for changes in [
        json!({"limit": {"kind": "sliding", "max": 200, "window_seconds": 60}}),
        json!({"limit": {"kind": "sliding", "max": 3, "window_seconds": 61}}),
        json!({"limit": {"kind": "until_quiet", "block_at": 3, "quiet_seconds": 60}}),
        json!({"limit": {"kind": "calendar", "max": 3, "period": "day", "time_zone": "UTC"}}),
        json!({"limit": {"kind": "consecutive_days", "max": 3, "days": 7, "time_zone": "Asia/Tokyo"}}),
        json!({"id": "other", "name": "Other", "mode": "shadow", "notice": "no", "citation": "§ 1"}),
    ] {
        assert_eq!(key(&changes), original, "{changes}");
    }
}

#[test]
fn pace_has_meters_of_its_own_whatever_the_pace() {
    let pace = |max: u32, burst: u32| {
        key(&json!({"limit": {"kind": "pace", "max": max, "per_seconds": 60, "burst": burst}}))
    };
    assert_ne!(pace(1, 1), key(&json!({})));
    assert_eq!(pace(1, 1), pace(7, 3));
}

#[test]
fn a_tenant_wide_rule_has_one_meter_for_all_instances_and_others_have_one_each() {
    let of = |instance_arn: &str, scope: &str| {
        let policy = one(&json!({"scope": scope}));
        let owner = Owner {
            instance_arn,
            ..OWNER
        };
        let key = Plan::new(&policy, owner, &call()).meters()[0].clone();
        (key.stored(), key.scope())
    };
    assert_eq!(of("a", "tenant"), of("b", "tenant"));
    assert_eq!(of("a", "tenant").1, Scope::Tenant);
    assert_ne!(of("a", "instance"), of("b", "instance"));
    assert_eq!(of("a", "instance").1, Scope::Instance);
}

fn rules() -> impl Strategy<Value = Vec<Value>> {
    let per = prop_oneof![
        Just(json!(["customer"])),
        Just(json!(["customer", "caller_id"])),
        Just(json!(["agent"])),
        Just(json!(["queue", "attribute:campaign"])),
        Just(json!(["attribute:account"])),
    ];
    let when = prop_oneof![
        3 => Just(json!(null)),
        1 => Just(json!({"destination_prefixes": ["+1"]})),
        1 => Just(json!({"destination_countries": ["CA"]})),
    ];
    let limit = prop_oneof![
        Just(json!({"kind": "sliding", "max": 3, "window_seconds": 60})),
        Just(json!({"kind": "pace", "max": 3, "per_seconds": 60})),
    ];
    let scope = prop_oneof![Just("instance"), Just("tenant")];
    let rule = (per, when, limit, scope)
        .prop_map(|(per, when, limit, scope)| json!({"per": per, "when": when, "limit": limit, "scope": scope}));
    prop::collection::vec(rule, 1..8)
}

fn policy_of(rules: &[Value]) -> Policy {
    let rules: Vec<Value> = rules
        .iter()
        .enumerate()
        .map(|(index, changes)| rule(&format!("r{index}"), changes))
        .collect();
    policy(json!({"rules": rules}))
}

fn key_set(rules: &[Value]) -> BTreeSet<String> {
    keys(&policy_of(rules), &call()).into_iter().collect()
}

proptest! {
    #[test]
    fn a_rule_more_takes_no_meter_away(rules in rules()) {
        let (_, fewer) = rules.split_last().unwrap();
        prop_assert!(key_set(fewer).is_subset(&key_set(&rules)));
    }

    #[test]
    fn the_order_of_rules_does_not_change_which_meters_there_are(rules in rules(), turned in 0..8_usize) {
        let mut other = rules.clone();
        other.rotate_left(turned % rules.len());
        prop_assert_eq!(key_set(&rules), key_set(&other));
        other.reverse();
        prop_assert_eq!(key_set(&rules), key_set(&other));
    }

    #[test]
    fn no_meter_is_planned_twice(rules in rules()) {
        prop_assert_eq!(keys(&policy_of(&rules), &call()).len(), key_set(&rules).len());
    }
}

#[test]
fn a_meter_is_named_whatever_the_filter_asks_and_is_the_one_that_an_attempt_reads() {
    let asks = json!({ "per": ["customer", "agent"], "when": { "attributes": { "campaign": ["spring"] } } });
    let policy = policy(json!({ "rules": [rule("r", &asks)] }));
    let plan = Plan::new(&policy, OWNER, &call());
    let unknown = Attempt {
        attributes: BTreeMap::new(),
        ..call()
    };
    let rule = &policy.rules()[0];
    assert_eq!(
        rule.meter_named(OWNER, &unknown).as_ref(),
        plan.meters().first()
    );
    assert!(rule.meter_named(OWNER, &bare()).is_none());
    assert!(!rule.counts_per_attribute());
    let other = |changes: &Value| one_rule(changes).shares_meters_with(rule);
    let same = json!({ "per": ["customer", "agent"], "when": { "attributes": { "campaign": ["spring"] } }, "mode": "shadow" });
    assert!(other(&same));
    assert!(!other(&json!({ "per": ["customer", "agent"] })));
}

fn one_rule(changes: &Value) -> Rule {
    let policy = policy(json!({ "rules": [rule("r", changes)] }));
    policy.rules()[0].clone()
}

#[test]
fn limits_elsewhere_are_those_on_the_same_meters_that_need_more_each_told_once() {
    let sliding =
        |max: u32, window: u32| json!({"kind": "sliding", "max": max, "window_seconds": window});
    let day =
        |zone: &str| json!({"kind": "calendar", "max": 9, "period": "day", "time_zone": zone});
    let rule = |id: &str, scope: &str, per: &str, limit: Value| json!({"id": id, "scope": scope, "per": [per], "limit": limit});
    let own = policy(json!({"rules": [
        rule("minute", "tenant", "customer", sliding(3, 60)),
        rule("steps", "instance", "customer", sliding(3, 60)),
    ]}));
    let others = [
        policy(json!({"rules": [
            rule("same", "tenant", "customer", sliding(9, 60)),
            rule("longer", "tenant", "customer", sliding(5, 600)),
            rule("again", "tenant", "customer", sliding(7, 600)),
            rule("many", "tenant", "customer", sliding(300, 600)),
            rule("day", "tenant", "customer", day("UTC")),
        ]})),
        policy(json!({"rules": [
            rule("day", "tenant", "customer", day("UTC")),
            rule("their-day", "tenant", "customer", day("Asia/Tokyo")),
            rule("own", "instance", "customer", sliding(5, 6_000)),
            rule("else", "tenant", "caller_id", sliding(5, 60_000)),
            rule("steady", "tenant", "customer", json!({"kind": "pace", "max": 1, "per_seconds": 60})),
        ]})),
    ];
    let found = LimitsElsewhere::of(&own, &others);
    let told = serde_json::to_value(&found).unwrap();
    let wanted =
        json!({"minute": [sliding(5, 600), sliding(300, 600), day("UTC"), day("Asia/Tokyo")]});
    assert_eq!(told, wanted);
    let read: LimitsElsewhere = serde_json::from_value(told).unwrap();
    assert_eq!(read, found);
    let attempt = call();
    let plan = Plan::new(&own, OWNER, &attempt).beside(&found);
    assert_eq!(
        plan.memory_seconds(0),
        2 * 86_400,
        "a day may be longer than 24 hours"
    );
    assert_eq!(plan.memory_seconds(1), 60);
    let alone = Plan::new(&own, OWNER, &attempt);
    assert_eq!(alone.memory_seconds(0), 60);
}

#[test]
fn a_limit_elsewhere_that_this_version_does_not_know_is_not_passed_over() {
    let unknown = json!({"minute": [{"kind": "lunar", "max": 1}]});
    assert!(serde_json::from_value::<LimitsElsewhere>(unknown).is_err());
}
