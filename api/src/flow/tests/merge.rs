//! What of the customer's is kept, and what is refused.

use super::*;

#[test]
fn texts_that_happen_to_equal_an_identifier_stay_as_they_are() {
    let flow = compose(&default_outbound()).expect("merged");
    assert_eq!(action(&flow, "own-prompt")["Parameters"]["Text"], "end");
}

#[test]
fn the_editors_notes_stay_beside_their_blocks() {
    let metadata = &compose(&default_outbound()).expect("merged")["Metadata"];
    assert_eq!(metadata["snapToGrid"], false);
    let notes = &metadata["ActionMetadata"];
    assert_eq!(
        notes["own-3f0c1d2e-recording"]["children"],
        json!(["own-prompt"])
    );
    assert_eq!(notes["own-prompt"]["fragments"]["Next"], "own-end");
    let annotation = &metadata["Annotations"][0];
    assert_eq!(annotation["content"], "Ask legal before changing this");
    assert_eq!(annotation["actionId"], "own-prompt");
}

#[test]
fn notes_are_not_mistaken_for_identifiers() {
    let original = json!({
        "Version": "2019-10-30", "StartAction": "x",
        "Metadata": {
            "ActionMetadata": { "x": { "position": { "x": 1, "y": 2 } } },
            "Annotations": [{ "content": "x", "actionId": "x", "position": { "x": 1, "y": 2 } }],
        },
        "Actions": [
            { "Identifier": "x", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {} },
        ],
    });
    let metadata = &compose(&original).expect("merged")["Metadata"];
    let position = &metadata["ActionMetadata"]["own-x"]["position"];
    assert_eq!(position["x"], 1);
    let annotation = &metadata["Annotations"][0];
    assert_eq!(
        (&annotation["content"], &annotation["actionId"]),
        (&json!("x"), &json!("own-x"))
    );
    assert_eq!(annotation["position"], *position);
}

/// Identifiers as people write them, and one as the editor gives it.
#[test]
fn what_only_happens_to_equal_an_identifier_is_no_reference() {
    const EDITORS: &str = "9b62af6e-51e6-4e15-912e-2cce75336497";
    let noted = |one: &str, voice: &str, editors: &str| {
        json!({
            "position": { "x": 1, "y": 2 },
            "conditionMetadata": [
                { "id": "1", "value": "1", "operator": { "name": "Equals", "value": "Equals", "shortDisplay": "=" } },
            ],
            "parameters": { "QueueId": { "displayName": "Voice" }, "Text": { "text": "1" } },
            "dynamicParams": ["Voice"],
            "children": [voice, editors, "elsewhere"],
            "fragments": { "SetContactData": one, "More": { "Voice": [editors] } },
            "somewhere": { "else": [editors] },
        })
    };
    let end = |identifier: &str| json!({ "Identifier": identifier, "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {} });
    let annotations = |voice: &str| json!([{ "id": "1", "type": "Voice", "content": EDITORS, "actionId": voice }]);
    let original = json!({
        "Version": "2019-10-30", "StartAction": "1",
        "Metadata": {
            "ActionMetadata": { "1": noted("1", "Voice", EDITORS) },
            "Annotations": annotations("Voice"),
        },
        "Actions": [end("1"), end("Voice"), end("Equals"), end(EDITORS)],
    });
    let metadata = &compose(&original).expect("merged")["Metadata"];
    let editors = format!("own-{EDITORS}");
    let mut wanted = noted("own-1", "own-Voice", &editors);
    wanted["position"] = metadata["ActionMetadata"]["own-1"]["position"].clone();
    assert_eq!(metadata["ActionMetadata"]["own-1"], wanted);
    assert_eq!(metadata["Annotations"], annotations("own-Voice"));
}

#[test]
fn whether_a_merged_flow_is_logged_is_what_the_customers_own_blocks_say() {
    let logging = |flow: &Value| -> Vec<Value> {
        let sets = |action: &&Value| action["Type"] == "UpdateFlowLoggingBehavior";
        actions(flow)
            .iter()
            .filter(sets)
            .map(|action| action["Identifier"].clone())
            .collect()
    };
    let mut original = default_outbound();
    for given in [Given::emergency(), Given::everything()] {
        assert_eq!(
            logging(&given.compose(&original).expect("merged")),
            [] as [Value; 0]
        );
        // Where nothing of the customer's follows, ours is.
        assert_eq!(logging(&given.bare()), ["rf-log"]);
    }
    let off = json!({
        "Identifier": "off", "Type": "UpdateFlowLoggingBehavior", "Parameters": { "FlowLoggingBehavior": "Disabled" },
        "Transitions": { "NextAction": "3f0c1d2e-recording" },
    });
    original["Actions"]
        .as_array_mut()
        .expect("actions")
        .push(off);
    original["StartAction"] = json!("off");
    assert_eq!(logging(&compose(&original).expect("merged")), ["own-off"]);
}

#[test]
fn our_own_whispers_are_recognised_and_never_wrapped_twice() {
    let ours = compose(&default_outbound()).expect("merged");
    assert!(whisper_of_ours(&ours.to_string()));
    assert!(!whisper_of_ours(&default_outbound().to_string()));
    assert!(!whisper_of_ours("no flow"));
    assert_eq!(compose(&ours), Err(NotMergeable::AlreadyOurs));
    // As they were made before.
    let mut logged = ours;
    logged["StartAction"] = json!("rf-log");
    assert!(whisper_of_ours(&logged.to_string()));
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
    assert_eq!(compose(&many), Err(NotMergeable::TooManyActions(258)));

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
