//! The flows that every new instance has.

use serde_json::{Value, json};

use crate::flow::FlowType;

/// The whisper of every queue that names none.
pub const DEFAULT_OUTBOUND: &str = "Default outbound";

/// Name, type and content of the flows of a new instance.
pub fn flows() -> Vec<(&'static str, FlowType, Value)> {
    vec![
        (DEFAULT_OUTBOUND, FlowType::OutboundWhisper, outbound()),
        (
            "Default agent whisper",
            FlowType::AgentWhisper,
            message("$.Queue.Name"),
        ),
        (
            "Default customer whisper",
            FlowType::CustomerWhisper,
            message("Please stay on the line."),
        ),
        ("Sample inbound flow", FlowType::ContactFlow, inbound()),
    ]
}

fn outbound() -> Value {
    json!({
        "Version": "2019-10-30",
        "StartAction": "recording",
        "Metadata": {},
        "Actions": [
            {
                "Identifier": "recording",
                "Type": "UpdateContactRecordingBehavior",
                "Parameters": {"RecordingBehavior": {"RecordedParticipants": []}},
                "Transitions": {"NextAction": "notice", "Errors": [], "Conditions": []},
            },
            {
                "Identifier": "notice",
                "Type": "MessageParticipant",
                "Parameters": {"Text": "This call is not being recorded."},
                "Transitions": {
                    "NextAction": "end",
                    "Errors": [{"NextAction": "end", "ErrorType": "NoMatchingError"}],
                    "Conditions": [],
                },
            },
            {"Identifier": "end", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {}},
        ],
    })
}

fn message(text: &str) -> Value {
    json!({
        "Version": "2019-10-30",
        "StartAction": "message",
        "Metadata": {},
        "Actions": [
            {
                "Identifier": "message",
                "Type": "MessageParticipant",
                "Parameters": {"Text": text},
                "Transitions": {
                    "NextAction": "end",
                    "Errors": [{"NextAction": "end", "ErrorType": "NoMatchingError"}],
                    "Conditions": [],
                },
            },
            {"Identifier": "end", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {}},
        ],
    })
}

fn inbound() -> Value {
    json!({
        "Version": "2019-10-30",
        "StartAction": "greeting",
        "Metadata": {},
        "Actions": [
            {
                "Identifier": "greeting",
                "Type": "MessageParticipant",
                "Parameters": {"Text": "Thank you for calling."},
                "Transitions": {
                    "NextAction": "end",
                    "Errors": [{"NextAction": "end", "ErrorType": "NoMatchingError"}],
                    "Conditions": [],
                },
            },
            {"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}},
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{Options, validate};

    #[test]
    fn the_flows_of_a_new_instance_are_valid() {
        for (name, flow_type, content) in flows() {
            assert_eq!(
                validate(&content.to_string(), flow_type, Options::default()),
                [],
                "{name}"
            );
        }
    }
}
