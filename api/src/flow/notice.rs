//! The flow that a notice runs through: straight into the queue of the agent who dialled. Where that queue is full, the
//! limiter is told, so that the decision does not claim that the agent knows.

use serde_json::{Value, json};

use super::NOTICE_NAME;
use super::document::{VERSION, action, error, invoke, next};
use super::layout::{Below, arranged, entry_point};

const LOG: &str = "rf-log";
const AGENT: &str = "rf-agent";
const QUEUE: &str = "rf-queue";
const FULL: &str = "rf-full";
const END: &str = "rf-end";

/// Content of the notice flow of an instance that this limiter function serves.
#[must_use]
pub fn notice(function_arn: &str) -> String {
    let actions = [
        action(
            LOG,
            "UpdateFlowLoggingBehavior",
            json!({ "FlowLoggingBehavior": "Enabled" }),
            next(AGENT),
        ),
        action(
            AGENT,
            "UpdateContactTargetQueue",
            json!({ "AgentId": "$.Attributes.AgentARN" }),
            json!({ "NextAction": QUEUE, "Errors": [error("NoMatchingError", END)], "Conditions": [] }),
        ),
        action(
            QUEUE,
            "TransferContactToQueue",
            json!({}),
            json!({
                "NextAction": END,
                "Errors": [error("QueueAtCapacity", FULL), error("NoMatchingError", END)],
                "Conditions": [],
            }),
        ),
        report(function_arn),
        action(END, "DisconnectParticipant", json!({}), json!({})),
    ];
    let (notes, _) = arranged(&actions, LOG, Below::NOTHING);
    json!({
        "Version": VERSION,
        "StartAction": LOG,
        "Metadata": {
            "entryPointPosition": entry_point(),
            "name": NOTICE_NAME,
            "ActionMetadata": notes,
        },
        "Actions": actions,
    })
    .to_string()
}

/// Whether it was noted or not, the task ends: nobody would ever see it.
fn report(function_arn: &str) -> Value {
    let attributes = json!({
        "NoticeOf": "$.Attributes.DecisionContactId",
        "NoticeProblem": "queue_full",
    });
    invoke(FULL, function_arn, attributes, END, END)
}
