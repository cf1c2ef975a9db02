//! How an installation's request and conditions are written in its row.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::installation::{
    Condition, ConditionStatus, ConditionType, Drift, ExistingWhisper, InstallationRequest,
    OnLimiterUnavailable, QueueSelection,
};

#[derive(Debug, Serialize, Deserialize)]
struct RequestDocument {
    queues: QueuesDocument,
    existing_whisper: String,
    drift: String,
    // Younger than the table; absent in what was asked before them.
    #[serde(default)]
    prefix_filter: BTreeSet<String>,
    #[serde(default = "allow")]
    on_limiter_unavailable: String,
}

fn allow() -> String {
    OnLimiterUnavailable::Allow.as_str().to_owned()
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum QueuesDocument {
    Only(BTreeSet<String>),
    All(String),
}

#[derive(Debug, Serialize, Deserialize)]
struct ConditionDocument {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    reason: String,
    message: String,
    last_transition_at: Timestamp,
}

pub(super) fn write_request(request: &InstallationRequest) -> Value {
    let document = RequestDocument {
        queues: match &request.queues {
            QueueSelection::All => QueuesDocument::All("all".to_owned()),
            QueueSelection::Only(ids) => QueuesDocument::Only(ids.clone()),
        },
        existing_whisper: request.existing_whisper.as_str().to_owned(),
        drift: request.drift.as_str().to_owned(),
        prefix_filter: request.prefix_filter.clone(),
        on_limiter_unavailable: request.on_limiter_unavailable.as_str().to_owned(),
    };
    serde_json::to_value(document).unwrap_or_default()
}

pub(super) fn read_request(document: Value) -> Option<InstallationRequest> {
    let document: RequestDocument = serde_json::from_value(document).ok()?;
    Some(InstallationRequest {
        queues: match document.queues {
            QueuesDocument::All(word) if word == "all" => QueueSelection::All,
            QueuesDocument::All(_) => return None,
            QueuesDocument::Only(ids) => QueueSelection::Only(ids),
        },
        existing_whisper: ExistingWhisper::parse(&document.existing_whisper)?,
        drift: Drift::parse(&document.drift)?,
        prefix_filter: document.prefix_filter,
        on_limiter_unavailable: OnLimiterUnavailable::parse(&document.on_limiter_unavailable)?,
    })
}

pub(super) fn write_conditions(conditions: &[Condition]) -> Value {
    let documents: Vec<ConditionDocument> = conditions
        .iter()
        .map(|condition| ConditionDocument {
            kind: condition.kind.as_str().to_owned(),
            status: condition.status.as_str().to_owned(),
            reason: condition.reason.clone(),
            message: condition.message.clone(),
            last_transition_at: condition.last_transition_at,
        })
        .collect();
    serde_json::to_value(documents).unwrap_or_default()
}

pub(super) fn read_conditions(documents: Value) -> Option<Vec<Condition>> {
    let documents: Vec<ConditionDocument> = serde_json::from_value(documents).ok()?;
    documents
        .into_iter()
        .map(|document| {
            Some(Condition {
                kind: ConditionType::parse(&document.kind)?,
                status: ConditionStatus::parse(&document.status)?,
                reason: document.reason,
                message: document.message,
                last_transition_at: document.last_transition_at,
            })
        })
        .collect()
}
