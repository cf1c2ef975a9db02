//! Drafts: every fault of a document is found at once, with its pointer and code.

use ringfence_policy::{Policy, PolicyDraft};
use serde_json::{Value, json};

fn check(document: Value) -> Result<Policy, Vec<(String, &'static str)>> {
    let draft: PolicyDraft = serde_json::from_value(document).unwrap();
    draft.check().map_err(|faults| {
        faults
            .into_iter()
            .map(|fault| (fault.pointer, fault.code))
            .collect()
    })
}

fn faults(document: Value) -> Vec<(String, &'static str)> {
    check(document).expect_err("a faulty document")
}

#[test]
fn an_empty_document_is_the_default_policy() {
    assert_eq!(check(json!({})), Ok(Policy::default()));
    assert_eq!(
        check(json!({"mode": null, "rules": null})),
        Ok(Policy::default())
    );
}

#[test]
fn all_faults_are_told_together() {
    let document = json!({
        "mode": "off-ish", "on_unavailable": 7, "default_country": "usa", "emergency": ["911", "911", "x"], "surplus": 1,
        "rules": [
            { "id": "Upper", "per": [], "limit": { "kind": "sliding", "max": 0, "window_seconds": "60" } },
            { "per": ["agent", "planet"], "limit": { "kind": "calendar", "time_zone": "Mars/Olympus" }, "notice": "hello {name}", "scope": "planet" },
            "no rule",
            { "id": "a", "per": ["customer", "customer"], "limit": { "kind": "until_quiet", "block_at": 1, "pace": 2 },
              "when": { "queues": [], "destination_prefixes": ["1"], "else": 1 } },
        ]
    });
    let told = faults(document);
    let expected = [
        ("/mode", "invalid"),
        ("/on_unavailable", "wrong_type"),
        ("/default_country", "invalid"),
        ("/emergency/1", "duplicate"),
        ("/emergency/2", "invalid"),
        ("/rules/0/id", "invalid"),
        ("/rules/0/per", "out_of_range"),
        ("/rules/0/limit/max", "out_of_range"),
        ("/rules/0/limit/window_seconds", "wrong_type"),
        ("/rules/1/id", "missing"),
        ("/rules/1/per/1", "invalid"),
        ("/rules/1/scope", "invalid"),
        ("/rules/1/limit/max", "missing"),
        ("/rules/1/limit/period", "missing"),
        ("/rules/1/limit/time_zone", "invalid"),
        ("/rules/1/notice", "invalid"),
        ("/rules/2", "wrong_type"),
        ("/rules/3/per/1", "duplicate"),
        ("/rules/3/when/destination_prefixes/0", "invalid"),
        ("/rules/3/when/queues", "out_of_range"),
        ("/rules/3/when/else", "unknown_field"),
        ("/rules/3/limit/block_at", "out_of_range"),
        ("/rules/3/limit/quiet_seconds", "missing"),
        ("/rules/3/limit/pace", "unknown_field"),
        ("/surplus", "unknown_field"),
    ];
    assert_eq!(
        told,
        expected.map(|(pointer, code)| (pointer.to_owned(), code))
    );
}

#[test]
fn missing_members_of_a_rule_are_named() {
    let expected = ["/rules/0/id", "/rules/0/per", "/rules/0/limit"]
        .map(|pointer| (pointer.to_owned(), "missing"));
    assert_eq!(faults(json!({"rules": [{}]})), expected);
}

#[test]
fn two_rules_of_one_name_are_a_fault() {
    let rule = json!({"id": "a", "per": ["customer"], "limit": {"kind": "sliding", "max": 1, "window_seconds": 1}});
    assert_eq!(
        faults(json!({"rules": [rule, rule]})),
        [("/rules/1/id".to_owned(), "duplicate")]
    );
}

#[test]
fn whatever_is_sent_gets_an_answer() {
    for document in [
        json!([]),
        json!("text"),
        json!(3.5),
        json!(null),
        json!({"rules": {}}),
        json!({"a/b~": 1}),
    ] {
        assert!(!faults(document).is_empty());
    }
    assert_eq!(faults(json!({"a/b~": 1}))[0].0, "/a~1b~0");
}

/// A rule of which all members but these are in order.
fn with(changes: Value) -> Value {
    let mut rule = json!({"id": "r", "per": ["customer"], "limit": {"kind": "sliding", "max": 1, "window_seconds": 1}});
    rule.as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    json!({"rules": [rule]})
}

/// The faults of a rule, by pointers from the rule on.
fn told(changes: Value) -> Vec<(String, &'static str)> {
    match check(with(changes)) {
        Ok(_) => Vec::new(),
        Err(faults) => faults
            .into_iter()
            .map(|(pointer, code)| (pointer.strip_prefix("/rules/0").unwrap().to_owned(), code))
            .collect(),
    }
}

fn one(pointer: &str, code: &'static str) -> Vec<(String, &'static str)> {
    vec![(pointer.to_owned(), code)]
}

fn limit(limit: Value) -> Vec<(String, &'static str)> {
    told(json!({"limit": limit}))
}

#[test]
fn each_kind_takes_what_is_in_range_and_nothing_else() {
    let zone = "America/New_York";
    let good = [
        json!({"kind": "until_quiet", "block_at": 256, "quiet_seconds": 2_678_400}),
        json!({"kind": "sliding", "max": 1_000_000, "window_seconds": 2_678_400}),
        json!({"kind": "consecutive_days", "max": 1_000_000, "days": 366, "time_zone": zone}),
        json!({"kind": "calendar", "max": 1_000_000, "period": "month", "time_zone": zone}),
        json!({"kind": "pace", "max": 1_000_000, "per_seconds": 2_678_400, "burst": 1_000_000}),
        json!({"kind": "pace", "max": 1, "per_seconds": 1, "burst": null}),
    ];
    for limit_of_a_kind in &good {
        assert_eq!(limit(limit_of_a_kind.clone()), [], "{limit_of_a_kind}");
    }
    for (kind, member, value, code) in [
        (0, "block_at", json!(257), "out_of_range"),
        (0, "block_at", json!(1), "out_of_range"),
        (0, "quiet_seconds", json!(2_678_401), "out_of_range"),
        (1, "max", json!(1_000_001), "out_of_range"),
        (1, "max", json!(0), "out_of_range"),
        (1, "max", json!(-1), "out_of_range"),
        (1, "max", json!(1.5), "wrong_type"),
        (1, "max", json!(null), "missing"),
        (1, "window_seconds", json!(0), "out_of_range"),
        (1, "time_zone", json!(zone), "unknown_field"),
        (2, "days", json!(367), "out_of_range"),
        (2, "days", json!(0), "out_of_range"),
        (2, "time_zone", json!("New York"), "invalid"),
        (2, "time_zone", json!(7), "wrong_type"),
        (2, "time_zone", json!(null), "missing"),
        (3, "period", json!("year"), "invalid"),
        (3, "period", json!(null), "missing"),
        (3, "max", json!("3"), "wrong_type"),
        (3, "days", json!(3), "unknown_field"),
        (4, "burst", json!(0), "out_of_range"),
        (4, "burst", json!(1_000_001), "out_of_range"),
        (4, "burst", json!(true), "wrong_type"),
        (4, "per_seconds", json!(null), "missing"),
        (4, "window_seconds", json!(1), "unknown_field"),
    ] {
        let mut bad = good[kind].clone();
        bad[member] = value.clone();
        assert_eq!(
            limit(bad),
            one(&format!("/limit/{member}"), code),
            "{member}: {value}"
        );
    }
    assert_eq!(
        limit(json!({"kind": "fixed", "max": 1})),
        one("/limit/kind", "invalid")
    );
    assert_eq!(limit(json!({})), one("/limit/kind", "missing"));
    assert_eq!(limit(json!([])), one("/limit", "wrong_type"));
}

#[test]
fn a_burst_is_refused_that_would_take_longer_to_forget_than_any_window() {
    let pace = |burst: u32| {
        limit(json!({"kind": "pace", "max": 1, "per_seconds": 86_400, "burst": burst}))
    };
    assert_eq!(pace(31), []);
    assert_eq!(pace(32), one("/limit/burst", "out_of_range"));
}

#[test]
fn dimensions_are_known_or_told() {
    assert_eq!(
        told(json!({"per": ["customer", "caller_id", "agent", "queue", "attribute:Account-Id 7"]})),
        []
    );
    for (per, pointer, code) in [
        (json!(["attribute:"]), "/per/0", "invalid"),
        (json!(["attribute:a|b"]), "/per/0", "invalid"),
        (json!(["customer", "system"]), "/per/1", "invalid"),
        (json!(["attribute:a", "attribute:a"]), "/per/1", "duplicate"),
        (json!([7]), "/per/0", "wrong_type"),
        (json!([]), "/per", "out_of_range"),
        (json!("customer"), "/per", "wrong_type"),
    ] {
        assert_eq!(told(json!({"per": per})), one(pointer, code));
    }
    let many: Vec<String> = (0..15)
        .map(|number| format!("attribute:a{number}"))
        .collect();
    assert_eq!(told(json!({"per": many})), one("/per", "out_of_range"));
    for scope in ["instance", "tenant"] {
        assert_eq!(told(json!({"scope": scope})), []);
    }
    assert_eq!(told(json!({"scope": "world"})), one("/scope", "invalid"));
}

#[test]
fn filters_are_checked_item_by_item() {
    let queue = "arn:aws:connect:us-east-1:111122223333:instance/one/queue/7d1c";
    assert_eq!(
        told(json!({"when": {
            "destination_prefixes": ["+1", "+44"], "destination_countries": ["US", "XK"], "caller_id_prefixes": ["+1"],
            "queues": [queue, "7d1c", "agent/a1"], "attributes": {"campaign": ["spring", "été ,;|%"], "a b": ["1"]}
        }})),
        []
    );
    for (when, pointer, code) in [
        (
            json!({"destination_prefixes": ["+0"]}),
            "destination_prefixes/0",
            "invalid",
        ),
        (
            json!({"destination_prefixes": "+1"}),
            "destination_prefixes",
            "wrong_type",
        ),
        (
            json!({"destination_countries": ["US", "UK"]}),
            "destination_countries/1",
            "invalid",
        ),
        (
            json!({"destination_countries": ["US", "US"]}),
            "destination_countries/1",
            "duplicate",
        ),
        (
            json!({"destination_countries": []}),
            "destination_countries",
            "out_of_range",
        ),
        (
            json!({"caller_id_prefixes": ["1"]}),
            "caller_id_prefixes/0",
            "invalid",
        ),
        (json!({"queues": ["sales team"]}), "queues/0", "invalid"),
        (
            json!({"queues": ["arn:aws:connect:us-east-1:1:instance/one"]}),
            "queues/0",
            "invalid",
        ),
        (
            json!({"queues": ["arn:aws:sqs:us-east-1:1:instance/one/queue/x"]}),
            "queues/0",
            "invalid",
        ),
        (json!({"attributes": {}}), "attributes", "out_of_range"),
        (
            json!({"attributes": ["campaign"]}),
            "attributes",
            "wrong_type",
        ),
        (
            json!({"attributes": {"a/b": ["x"]}}),
            "attributes/a~1b",
            "invalid",
        ),
        (
            json!({"attributes": {"a": "x"}}),
            "attributes/a",
            "wrong_type",
        ),
        (
            json!({"attributes": {"a": null}}),
            "attributes/a",
            "missing",
        ),
        (
            json!({"attributes": {"a": []}}),
            "attributes/a",
            "out_of_range",
        ),
        (
            json!({"attributes": {"a": [""]}}),
            "attributes/a/0",
            "invalid",
        ),
        (
            json!({"attributes": {"a": ["x".repeat(201)]}}),
            "attributes/a/0",
            "invalid",
        ),
        (json!({"weekdays": ["monday"]}), "weekdays", "unknown_field"),
    ] {
        assert_eq!(
            told(json!({"when": when})),
            one(&format!("/when/{pointer}"), code),
            "{when}"
        );
    }
    assert_eq!(told(json!({"when": []})), one("/when", "wrong_type"));
}

#[test]
fn lists_have_an_end() {
    let numbered = |count: usize| {
        (0..count)
            .map(|number| format!("q{number}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(json!({"when": {"queues": numbered(50)}})), []);
    assert_eq!(
        told(json!({"when": {"queues": numbered(51)}})),
        one("/when/queues", "out_of_range")
    );
    assert_eq!(
        told(json!({"when": {"attributes": {"a": numbered(51)}}})),
        one("/when/attributes/a", "out_of_range")
    );
    let attributes = |count: usize| -> Value {
        numbered(count)
            .into_iter()
            .map(|name| (name, json!(["x"])))
            .collect()
    };
    assert_eq!(told(json!({"when": {"attributes": attributes(10)}})), []);
    assert_eq!(
        told(json!({"when": {"attributes": attributes(11)}})),
        one("/when/attributes", "out_of_range")
    );
    let rules: Vec<Value> = numbered(51)
        .into_iter()
        .map(|id| json!({"id": id, "per": ["agent"], "limit": {"kind": "sliding", "max": 1, "window_seconds": 1}}))
        .collect();
    assert!(check(json!({"rules": rules[..50]})).is_ok());
    assert_eq!(
        faults(json!({"rules": rules})),
        one("/rules", "out_of_range")
    );
}

#[test]
fn notices_are_checked_to_the_last_agent() {
    let agent = "arn:aws:connect:us-east-1:111122223333:instance/one/agent/a1";
    let notices = |notices: Value| check(json!({"notices": notices}));
    let policy = notices(json!({"language": "es", "time_zone": "Europe/Madrid", "agent_time_zones": {agent: "Atlantic/Canary"}})).unwrap();
    assert_eq!(
        policy.notices().time_zone_of(agent).name(),
        "Atlantic/Canary"
    );
    assert_eq!(
        policy.notices().time_zone_of("another").name(),
        "Europe/Madrid"
    );
    assert_eq!(notices(json!({})), Ok(Policy::default()));
    for (document, pointer, code) in [
        (json!([]), "", "wrong_type"),
        (json!({"language": "de"}), "/language", "invalid"),
        (json!({"time_zone": "Madrid"}), "/time_zone", "invalid"),
        (json!({"time_zone": 1}), "/time_zone", "wrong_type"),
        (json!({"colour": "red"}), "/colour", "unknown_field"),
        (
            json!({"agent_time_zones": []}),
            "/agent_time_zones",
            "wrong_type",
        ),
        (
            json!({"agent_time_zones": {"a1": "UTC"}}),
            "/agent_time_zones/a1",
            "invalid",
        ),
    ] {
        assert_eq!(
            notices(document),
            Err(one(&format!("/notices{pointer}"), code))
        );
    }
    let zone_of = |zone: Value| notices(json!({"agent_time_zones": {agent: zone}}));
    let pointer = format!("/notices/agent_time_zones/{}", agent.replace('/', "~1"));
    assert_eq!(zone_of(json!("Canary")), Err(one(&pointer, "invalid")));
    assert_eq!(zone_of(json!(null)), Err(one(&pointer, "missing")));
    let agents: Value = (0..501)
        .map(|number| (format!("{agent}{number}"), json!("UTC")))
        .collect();
    assert_eq!(
        notices(json!({"agent_time_zones": agents})),
        Err(one("/notices/agent_time_zones", "out_of_range"))
    );
}

#[test]
fn a_notice_of_a_rule_has_only_placeholders_that_are_filled() {
    assert_eq!(
        told(json!({"notice": "{number}: {limit} ({rule}). Again {wait}, at {retry_at}."})),
        []
    );
    for notice in ["", "{name}", "{number", "number}", &"x".repeat(1001)] {
        assert_eq!(
            told(json!({"notice": notice})),
            one("/notice", "invalid"),
            "{notice}"
        );
    }
}

#[test]
fn a_country_that_nobody_knows_is_told_and_yet_read_back() {
    assert_eq!(
        faults(json!({"default_country": "UK"})),
        one("/default_country", "invalid")
    );
    let policy: Policy = serde_json::from_value(json!({"default_country": "UK"})).unwrap();
    assert_eq!(policy.default_country(), "UK");
}

/// One rule of every kind, with every dimension, filter and option.
fn everything() -> Value {
    let snapshot = include_str!("../golden/v1/snapshot-all-kinds.json");
    serde_json::from_str::<Value>(snapshot).unwrap()["policy"].take()
}

#[test]
fn a_policy_read_back_is_the_same_and_overlooks_what_is_new() {
    let policy = check(everything()).unwrap();
    let mut document = serde_json::to_value(&policy).unwrap();
    let read_back = |document: &Value| serde_json::from_value::<Policy>(document.clone());
    assert_eq!(read_back(&document).unwrap(), policy);
    document["colour"] = json!("red");
    document["notices"]["colour"] = json!("red");
    document["rules"][0]["colour"] = json!("red");
    assert_eq!(read_back(&document).unwrap(), policy);
    for rule in 0..policy.rules().len() {
        for narrower in ["when", "limit"] {
            let mut later = document.clone();
            later["rules"][rule][narrower]["later"] = json!(["monday"]);
            assert!(
                read_back(&later).is_err(),
                "{narrower}: what it does not know changes what a rule means"
            );
        }
    }
}

#[test]
fn a_policy_is_written_the_same_way_however_it_was_sent() {
    let canonical = serde_json::to_value(check(everything()).unwrap()).unwrap();
    assert_eq!(canonical, everything());
    let mut sent = everything();
    sent["notices"]["time_zone"] = json!("europe/madrid");
    sent["rules"][0]["per"].as_array_mut().unwrap().reverse();
    sent["rules"][0]["when"]["queues"]
        .as_array_mut()
        .unwrap()
        .reverse();
    sent["rules"][0]["name"] = json!(null);
    assert_eq!(
        serde_json::to_value(check(sent).unwrap()).unwrap(),
        canonical
    );
}
