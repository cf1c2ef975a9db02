//! Documents as deployed programs write them stay readable, and are written alike.

use ringfence_policy::wire::v1::{DecisionRecord, ListedNumber, Snapshot};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn golden(name: &str) -> Value {
    let path = format!("{}/golden/v1/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn round_trip<T: Serialize + DeserializeOwned>(document: &Value) -> Value {
    serde_json::to_value(serde_json::from_value::<T>(document.clone()).unwrap()).unwrap()
}

#[test]
fn documents_are_read_and_written_back_alike() {
    for name in ["snapshot", "snapshot-least", "snapshot-all-kinds"] {
        assert_eq!(
            round_trip::<Snapshot>(&golden(name)),
            golden(name),
            "{name}"
        );
    }
    for name in ["number-blocked", "number-taken-off"] {
        assert_eq!(
            round_trip::<ListedNumber>(&golden(name)),
            golden(name),
            "{name}"
        );
    }
    for name in [
        "decision-denied",
        "decision-deferred",
        "decision-failed-open",
        "decision-near",
    ] {
        assert_eq!(
            round_trip::<DecisionRecord>(&golden(name)),
            golden(name),
            "{name}"
        );
    }
}

#[test]
fn members_of_a_later_version_are_overlooked() {
    let mut document = golden("snapshot");
    document["colour"] = "red".into();
    document["policy"]["colour"] = "red".into();
    assert_eq!(round_trip::<Snapshot>(&document), golden("snapshot"));
    let mut document = golden("decision-denied");
    document["rules"][0]["colour"] = "red".into();
    assert_eq!(
        round_trip::<DecisionRecord>(&document),
        golden("decision-denied")
    );
}

#[test]
fn what_a_later_version_adds_to_a_filter_or_a_limit_is_refused_and_nothing_else() {
    let later = golden("snapshot-later");
    let rule = |name: &str| format!("/policy/rules/0/{name}");
    assert!(serde_json::from_value::<Snapshot>(later.clone()).is_err());
    for narrower in ["when", "limit"] {
        let mut document = later.clone();
        let member = document.pointer_mut(&rule(narrower)).unwrap();
        member.as_object_mut().unwrap().remove("later").unwrap();
        assert!(
            serde_json::from_value::<Snapshot>(document).is_err(),
            "only {narrower} is as it was"
        );
    }
    let mut document = later;
    for narrower in ["when", "limit"] {
        let member = document.pointer_mut(&rule(narrower)).unwrap();
        member.as_object_mut().unwrap().remove("later").unwrap();
    }
    assert_eq!(round_trip::<Snapshot>(&document), golden("snapshot"));
}

#[test]
fn another_schema_is_refused() {
    let mut document = golden("snapshot");
    document["schema"] = 2.into();
    assert!(serde_json::from_value::<Snapshot>(document).is_err());
    let mut document = golden("decision-denied");
    document["schema"] = 2.into();
    assert!(serde_json::from_value::<DecisionRecord>(document).is_err());
}

#[test]
fn a_record_of_two_rules_with_full_ids_stays_small() {
    let text = serde_json::to_string(&golden("decision-denied")).unwrap();
    assert!(text.len() < 1536, "{} bytes", text.len());
}

#[test]
fn numbers_and_the_external_id_do_not_show_in_debug() {
    let record: DecisionRecord = serde_json::from_value(golden("decision-deferred")).unwrap();
    let number: ListedNumber = serde_json::from_value(golden("number-blocked")).unwrap();
    let snapshot: Snapshot = serde_json::from_value(golden("snapshot")).unwrap();
    let shown = format!(
        "{record:?} {:?} {number:?} {snapshot:?}",
        record.deferred_notice
    );
    assert!(
        !shown.contains("+1206") && !shown.contains("external"),
        "{shown}"
    );
}
