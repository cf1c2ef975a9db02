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
            { "per": ["agent", "planet"], "limit": { "kind": "calendar" }, "notice": "hello {name}", "scope": "planet" },
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
        ("/rules/1/limit/time_zone", "missing"),
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

#[test]
fn a_policy_read_back_is_the_same_and_overlooks_what_is_new() {
    let policy = check(json!({
        "mode": "shadow", "on_unavailable": "deny", "default_country": "GB", "emergency": ["999"],
        "rules": [{ "id": "a", "name": "A", "per": ["caller_id", "customer"], "when": {"destination_prefixes": ["+44", "+1"]},
                    "limit": {"kind": "until_quiet", "block_at": 5, "quiet_seconds": 60}, "mode": "shadow", "citation": "§ 1" }]
    }))
    .unwrap();
    let mut document = serde_json::to_value(&policy).unwrap();
    assert_eq!(
        serde_json::from_value::<Policy>(document.clone()).unwrap(),
        policy
    );
    document["rules"][0]["colour"] = json!("red");
    assert_eq!(
        serde_json::from_value::<Policy>(document.clone()).unwrap(),
        policy
    );
    document["rules"][0]["when"]["weekdays"] = json!(["monday"]);
    assert!(
        serde_json::from_value::<Policy>(document).is_err(),
        "a filter it does not know changes what a rule means"
    );
}
