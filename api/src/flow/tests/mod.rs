//! What a queue ran before goes on unchanged behind our check, and only behind it.

mod golden;
mod guard;
mod layout;
mod merge;
mod props;
mod rules;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use rules::{FlowType, broken};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-1";
const FALLBACK: &str = "arn:aws:lambda:us-east-1:111122223333:function:ringfence-fallback-con_1";

/// The settings of a guard, owned.
#[derive(Debug, Clone, Default)]
struct Given {
    emergency: Vec<String>,
    prefixes: BTreeSet<String>,
    has_fallback: bool,
}

impl Given {
    fn emergency() -> Self {
        Self {
            emergency: ["911", "+1911", "933", "+1933"].map(str::to_owned).to_vec(),
            ..Self::default()
        }
    }

    /// Everything that a tenant can ask for.
    fn everything() -> Self {
        Self {
            prefixes: ["+1", "+86"].map(str::to_owned).into(),
            has_fallback: true,
            ..Self::emergency()
        }
    }

    fn guard(&self) -> Guard<'_> {
        Guard {
            function_arn: FUNCTION,
            emergency: &self.emergency,
            prefixes: &self.prefixes,
            fallback_arn: self.has_fallback.then_some(FALLBACK),
        }
    }

    fn bare(&self) -> Value {
        let text = whisper(self.guard(), Rest::Bare).expect("a bare whisper");
        assert_eq!(
            broken(&text, FlowType::OutboundWhisper),
            Vec::<String>::new()
        );
        serde_json::from_str(&text).expect("JSON")
    }

    fn compose(&self, original: &Value) -> Result<Value, NotMergeable> {
        whisper(self.guard(), Rest::Own(&original.to_string())).map(|text| {
            assert_eq!(
                broken(&text, FlowType::OutboundWhisper),
                Vec::<String>::new(),
                "of {original}"
            );
            serde_json::from_str(&text).expect("JSON")
        })
    }
}

fn compose(original: &Value) -> Result<Value, NotMergeable> {
    Given::emergency().compose(original)
}

/// Shaped as Connect's own: recording, a prompt, the end; with notes of the editor.
fn default_outbound() -> Value {
    json!({
        "Version": "2019-10-30",
        "StartAction": "3f0c1d2e-recording",
        "Metadata": {
            "entryPointPosition": { "x": 40, "y": 40 },
            "snapToGrid": false,
            "ActionMetadata": {
                "3f0c1d2e-recording": { "position": { "x": 200, "y": 40 }, "children": ["prompt"] },
                "prompt": { "position": { "x": 460.5, "y": 40 }, "fragments": { "Next": "end" } },
            },
            "Annotations": [
                { "id": "a1", "content": "Ask legal before changing this", "actionId": "prompt",
                  "position": { "x": 460, "y": 10 } },
            ],
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

fn action<'a>(flow: &'a Value, identifier: &str) -> &'a Value {
    actions(flow)
        .iter()
        .find(|action| action["Identifier"] == identifier)
        .unwrap_or_else(|| panic!("no {identifier}"))
}

fn identifiers(flow: &Value) -> Vec<&str> {
    actions(flow)
        .iter()
        .map(|action| action["Identifier"].as_str().expect("identifier"))
        .collect()
}

fn targets(action: &Value) -> Vec<&str> {
    super::document::targets(action).collect()
}

/// Everything reachable from `start`.
fn reachable<'a>(flow: &'a Value, start: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![start];
    while let Some(identifier) = open.pop() {
        if found.insert(identifier) {
            open.extend(targets(action(flow, identifier)));
        }
    }
    found
}
