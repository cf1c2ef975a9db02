//! The flow that a notice runs through: straight into the queue of the agent who dialled.

use serde_json::{Map, json};

use super::NOTICE_NAME;
use super::document::{VERSION, action, error, metadata, next, place};

/// Content of the notice flow; it is the same in every instance.
#[must_use]
pub fn notice() -> String {
    let positions: Map<_, _> = [
        ("rf-log", place(0, 0)),
        ("rf-agent", place(1, 0)),
        ("rf-queue", place(2, 0)),
        ("rf-end", place(3, 0)),
    ]
    .into_iter()
    .map(|(identifier, position)| (identifier.to_owned(), position))
    .collect();
    json!({
        "Version": VERSION,
        "StartAction": "rf-log",
        "Metadata": metadata(NOTICE_NAME, positions),
        "Actions": [
            action("rf-log", "UpdateFlowLoggingBehavior", json!({ "FlowLoggingBehavior": "Enabled" }), next("rf-agent")),
            action(
                "rf-agent",
                "UpdateContactTargetQueue",
                json!({ "AgentId": "$.Attributes.AgentARN" }),
                json!({ "NextAction": "rf-queue", "Errors": [error("NoMatchingError", "rf-end")], "Conditions": [] }),
            ),
            action(
                "rf-queue",
                "TransferContactToQueue",
                json!({}),
                json!({
                    "NextAction": "rf-end",
                    "Errors": [error("QueueAtCapacity", "rf-end"), error("NoMatchingError", "rf-end")],
                    "Conditions": [],
                }),
            ),
            action("rf-end", "DisconnectParticipant", json!({}), json!({})),
        ],
    })
    .to_string()
}
