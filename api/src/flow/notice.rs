//! The flow that a notice runs through: straight into the queue of the agent who dialled. Where that queue is full, the
//! limiter is told, so that the decision does not claim that the agent knows.

use serde_json::{Map, Value, json};

use super::NOTICE_NAME;
use super::document::{VERSION, action, error, metadata, next, place};

/// Content of the notice flow of an instance that this limiter function serves.
#[must_use]
pub fn notice(function_arn: &str) -> String {
    let positions: Map<_, _> = [
        ("rf-log", place(0, 0)),
        ("rf-agent", place(1, 0)),
        ("rf-queue", place(2, 0)),
        ("rf-full", place(3, 1)),
        ("rf-end", place(4, 0)),
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
                    "Errors": [error("QueueAtCapacity", "rf-full"), error("NoMatchingError", "rf-end")],
                    "Conditions": [],
                }),
            ),
            report(function_arn),
            action("rf-end", "DisconnectParticipant", json!({}), json!({})),
        ],
    })
    .to_string()
}

/// Whether it was noted or not, the task ends: nobody would ever see it.
fn report(function_arn: &str) -> Value {
    action(
        "rf-full",
        "InvokeLambdaFunction",
        json!({
            "LambdaFunctionARN": function_arn,
            "InvocationTimeLimitSeconds": "8",
            "LambdaInvocationAttributes": {
                "NoticeOf": "$.Attributes.DecisionContactId",
                "NoticeProblem": "queue_full",
            },
            "ResponseValidation": { "ResponseType": "STRING_MAP" },
        }),
        json!({ "NextAction": "rf-end", "Errors": [error("NoMatchingError", "rf-end")], "Conditions": [] }),
    )
}
