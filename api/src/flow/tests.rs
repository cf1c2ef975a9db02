//! What a queue ran before goes on unchanged behind our check, and only behind it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const FUNCTION: &str = "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-1";

fn emergency() -> Vec<String> {
    ["911", "+1911", "933", "+1933"].map(str::to_owned).to_vec()
}

fn compose(original: &Value) -> Result<Value, NotMergeable> {
    let emergency = emergency();
    let guard = Guard {
        function_arn: FUNCTION,
        emergency: &emergency,
    };
    whisper(guard, Rest::Own(&original.to_string()))
        .map(|text| serde_json::from_str(&text).expect("JSON"))
}

fn bare() -> Value {
    let emergency = emergency();
    let guard = Guard {
        function_arn: FUNCTION,
        emergency: &emergency,
    };
    serde_json::from_str(&whisper(guard, Rest::Bare).expect("a bare whisper")).expect("JSON")
}

fn default_outbound() -> Value {
    json!({
        "Version": "2019-10-30",
        "StartAction": "3f0c1d2e-recording",
        "Metadata": {
            "entryPointPosition": { "x": 40, "y": 40 },
            "ActionMetadata": {
                "3f0c1d2e-recording": { "position": { "x": 200, "y": 40 }, "linked": ["prompt"] },
                "prompt": { "position": { "x": 460.5, "y": 40 }, "fragments": { "Next": "end" } },
            },
            "Annotations": [],
        },
        "Actions": [
            {
                "Identifier": "3f0c1d2e-recording", "Type": "UpdateContactRecordingBehavior",
                "Parameters": { "RecordingBehavior": { "RecordedParticipants": ["Agent", "Customer"] } },
                "Transitions": { "NextAction": "prompt" },
            },
            {
                "Identifier": "prompt", "Type": "MessageParticipant", "Parameters": { "Text": "end" },
                "Transitions": {
                    "NextAction": "end", "Conditions": [],
                    "Errors": [{ "ErrorType": "NoMatchingError", "NextAction": "end" }],
                },
            },
            { "Identifier": "end", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {} },
        ],
    })
}

fn actions(flow: &Value) -> &Vec<Value> {
    flow["Actions"].as_array().expect("actions")
}

fn identifiers(flow: &Value) -> Vec<&str> {
    actions(flow)
        .iter()
        .map(|action| action["Identifier"].as_str().expect("identifier"))
        .collect()
}

fn targets(action: &Value) -> Vec<&str> {
    let transitions = &action["Transitions"];
    let branches = ["Errors", "Conditions"]
        .into_iter()
        .filter_map(|list| transitions[list].as_array())
        .flatten();
    branches
        .chain([transitions])
        .filter_map(|branch| branch["NextAction"].as_str())
        .collect()
}

fn assert_well_formed(flow: &Value) {
    let known: BTreeSet<&str> = identifiers(flow).into_iter().collect();
    assert_eq!(known.len(), actions(flow).len(), "identifiers repeat");
    assert!(known.contains(flow["StartAction"].as_str().expect("start")));
    for identifier in &known {
        assert!(identifier.chars().count() <= 50, "{identifier} is too long");
    }
    for action in actions(flow) {
        for target in targets(action) {
            assert!(known.contains(target), "{target} dangles");
        }
    }
}

/// Everything reachable from `start`.
fn reachable<'a>(flow: &'a Value, start: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![start];
    while let Some(identifier) = open.pop() {
        if found.insert(identifier) {
            let action = actions(flow)
                .iter()
                .find(|action| action["Identifier"] == identifier)
                .expect("action");
            open.extend(targets(action));
        }
    }
    found
}

#[test]
fn the_notice_flow_is_as_agreed() {
    let flow: Value = serde_json::from_str(&notice(FUNCTION)).expect("JSON");
    assert_well_formed(&flow);
    insta::assert_json_snapshot!(flow);
}

#[test]
fn the_bare_whisper_is_as_agreed() {
    let flow = bare();
    assert_well_formed(&flow);
    insta::assert_json_snapshot!(flow);
}

#[test]
fn the_whisper_in_front_of_default_outbound_is_as_agreed() {
    let flow = compose(&default_outbound()).expect("merged");
    assert_well_formed(&flow);
    insta::assert_json_snapshot!(flow);
}

#[test]
fn without_emergency_numbers_no_empty_comparison_is_written() {
    let guard = Guard {
        function_arn: FUNCTION,
        emergency: &[],
    };
    let flow: Value =
        serde_json::from_str(&whisper(guard, Rest::Bare).expect("bare")).expect("JSON");
    assert_well_formed(&flow);
    assert!(!identifiers(&flow).contains(&"rf-emergency"));
}

#[test]
fn a_denied_call_reaches_nothing_that_could_dial() {
    for flow in [bare(), compose(&default_outbound()).expect("merged")] {
        let verdict = actions(&flow)
            .iter()
            .find(|action| action["Identifier"] == "rf-verdict")
            .expect("verdict");
        let denied = verdict["Transitions"]["Conditions"][0]["NextAction"]
            .as_str()
            .expect("branch");
        assert_eq!(
            verdict["Transitions"]["Conditions"][0]["Condition"]["Operands"],
            json!(["false"])
        );
        let types: Vec<&Value> = reachable(&flow, denied)
            .into_iter()
            .map(|identifier| {
                &actions(&flow)
                    .iter()
                    .find(|action| action["Identifier"] == identifier)
                    .expect("action")["Type"]
            })
            .collect();
        assert_eq!(types, [&json!("EndFlowExecution")]);
    }
}

#[test]
fn a_failing_limiter_lets_the_call_go_on_with_the_former_whisper() {
    let flow = compose(&default_outbound()).expect("merged");
    let limit = actions(&flow)
        .iter()
        .find(|action| action["Type"] == "InvokeLambdaFunction")
        .expect("limit");
    let after = limit["Transitions"]["Errors"][0]["NextAction"]
        .as_str()
        .expect("branch");
    assert_eq!(after, "own-3f0c1d2e-recording");
}

#[test]
fn texts_that_happen_to_equal_an_identifier_stay_as_they_are() {
    let flow = compose(&default_outbound()).expect("merged");
    let prompt = actions(&flow)
        .iter()
        .find(|action| action["Identifier"] == "own-prompt")
        .expect("prompt");
    assert_eq!(prompt["Parameters"]["Text"], "end");
}

#[test]
fn our_own_whispers_are_recognised_and_never_wrapped_twice() {
    let ours = compose(&default_outbound()).expect("merged");
    assert!(whisper_of_ours(&ours.to_string()));
    assert!(!whisper_of_ours(&default_outbound().to_string()));
    assert!(!whisper_of_ours("no flow"));
    assert_eq!(compose(&ours), Err(NotMergeable::AlreadyOurs));
}

#[test]
fn what_cannot_be_kept_whole_is_refused_with_the_reason() {
    let mut many = default_outbound();
    for number in 0..250 {
        let action = json!({ "Identifier": format!("x{number}"), "Type": "Loop", "Parameters": {}, "Transitions": {} });
        many["Actions"]
            .as_array_mut()
            .expect("actions")
            .push(action);
    }
    assert_eq!(compose(&many), Err(NotMergeable::TooManyActions(259)));

    let mut long = default_outbound();
    long["Actions"][1]["Parameters"]["Text"] = json!("é".repeat(256_000));
    assert!(
        matches!(compose(&long), Err(NotMergeable::TooLong(characters)) if characters > 256_000)
    );

    let mut version = default_outbound();
    version["Version"] = json!("2030-01-01");
    assert_eq!(
        compose(&version),
        Err(NotMergeable::Version("2030-01-01".to_owned()))
    );

    for broken in [
        json!([]),
        json!({ "Version": "2019-10-30" }),
        json!({ "Version": "2019-10-30", "StartAction": "a", "Actions": [] }),
        json!({ "Version": "2019-10-30", "StartAction": "a", "Actions": [{ "Type": "x" }] }),
        json!({ "Version": "2019-10-30", "StartAction": "a", "Actions": [
            { "Identifier": "a", "Type": "x", "Transitions": { "NextAction": "gone" } },
        ] }),
        json!({ "Version": "2019-10-30", "StartAction": "a", "Actions": [
            { "Identifier": "a", "Type": "x" }, { "Identifier": "a", "Type": "y" },
        ] }),
    ] {
        assert!(
            matches!(compose(&broken), Err(NotMergeable::Unreadable(_))),
            "{broken}"
        );
    }
}

/// A random flow: each action goes on to random others, through every kind of transition.
fn flows() -> impl Strategy<Value = Value> {
    let names = prop::collection::btree_set("[a-zA-Z0-9_-]{1,50}", 1..20);
    (names, prop::collection::vec(any::<u16>(), 60)).prop_map(|(names, dice)| {
        let names: Vec<String> = names.into_iter().collect();
        let pick = |at: usize| names[usize::from(dice[at % dice.len()]) % names.len()].clone();
        let actions: Vec<Value> = names
            .iter()
            .enumerate()
            .map(|(at, name)| {
                json!({
                    "Identifier": name, "Type": "Compare", "Parameters": {},
                    "Transitions": {
                        "NextAction": pick(at * 3),
                        "Errors": [{ "ErrorType": "NoMatchingCondition", "NextAction": pick(at * 3 + 1) }],
                        "Conditions": [{ "NextAction": pick(at * 3 + 2) }],
                    },
                })
            })
            .collect();
        json!({ "Version": "2019-10-30", "StartAction": pick(59), "Actions": actions })
    })
}

proptest! {
    #[test]
    fn a_merged_flow_is_well_formed_and_keeps_the_shape_of_the_original(original in flows()) {
        let merged = compose(&original).expect("merged");
        assert_well_formed(&merged);
        let ours = actions(&merged).len() - actions(&original).len();
        let renamed: Vec<&str> = identifiers(&merged).split_off(ours);
        let position = |names: &[&str], wanted: &str| names.iter().position(|name| *name == wanted);
        let old_names = identifiers(&original);
        for (old, new) in actions(&original).iter().zip(&actions(&merged)[ours..]) {
            let before: Vec<_> = targets(old).into_iter().map(|name| position(&old_names, name)).collect();
            let after: Vec<_> = targets(new).into_iter().map(|name| position(&renamed, name)).collect();
            prop_assert_eq!(before, after);
        }
        prop_assert_eq!(compose(&original).expect("merged"), merged);
    }
}
