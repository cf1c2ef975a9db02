//! Words that other parts of the program own, each list under its name: clients get them as types.

use serde_json::{Value, json};

use super::super::problem::Code;
use crate::auth::PERMISSIONS;
use crate::auth::jwt::ALGORITHMS;
use crate::domain::coverage::WayRoundKind;
use crate::domain::drift::DriftKind;
use crate::domain::installation::{
    ConditionStatus, ConditionType, InstallationState, QueueState, StepStatus,
};

/// Where such a word stands, below the schemas.
const PLACES: [(&str, &str); 17] = [
    ("/Drift/properties/kind", "DriftKind"),
    ("/Problem/properties/code", "ErrorCode"),
    ("/NewApiKey/properties/scopes/items", "Permission"),
    ("/ApiKey/properties/scopes/items", "Permission"),
    ("/MadeApiKey/allOf/0/properties/scopes/items", "Permission"),
    (
        "/NewTokenIssuer/properties/algorithms/items",
        "TokenAlgorithm",
    ),
    ("/TokenIssuer/properties/algorithms/items", "TokenAlgorithm"),
    ("/Installation/properties/state", "InstallationState"),
    (
        "/Instance/properties/installation_state",
        "InstallationState",
    ),
    ("/Condition/properties/type", "ConditionType"),
    ("/Condition/properties/status", "ConditionStatus"),
    ("/Step/properties/status", "StepStatus"),
    ("/InstallationQueue/properties/state", "QueueState"),
    ("/WayRound/properties/kind", "WayRoundKind"),
    (
        "/DecisionStats/properties/by_outcome/propertyNames",
        "DecisionOutcome",
    ),
    (
        "/DecisionStatsBucket/properties/by_outcome/propertyNames",
        "DecisionOutcome",
    ),
    (
        "/UsageMonth/properties/by_outcome/propertyNames",
        "DecisionOutcome",
    ),
];

pub(super) fn name(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    for (name, words, about) in lists() {
        schemas[name] = json!({ "type": "string", "enum": words, "description": about });
    }
    for (place, name) in PLACES {
        let Some(schema) = schemas.pointer_mut(place) else {
            continue;
        };
        let mut named = json!({ "$ref": format!("#/components/schemas/{name}") });
        for kept in ["description", "example"] {
            if let Some(value) = schema.get(kept) {
                named[kept] = value.clone();
            }
        }
        *schema = named;
    }
}

fn lists() -> [(&'static str, Vec<&'static str>, &'static str); 10] {
    [
        (
            "DriftKind",
            DriftKind::ALL.map(DriftKind::as_str).to_vec(),
            "What somebody else changed",
        ),
        (
            "ErrorCode",
            Code::ALL.iter().map(|code| code.as_str()).collect(),
            "What went wrong; each has a page under /docs/errors",
        ),
        (
            "Permission",
            PERMISSIONS
                .iter()
                .map(|permission| permission.name)
                .collect(),
            "What somebody may do, as each operation names it",
        ),
        (
            "TokenAlgorithm",
            ALGORITHMS.to_vec(),
            "How a token is signed",
        ),
        (
            "InstallationState",
            InstallationState::ALL
                .map(InstallationState::as_str)
                .to_vec(),
            "Where an installation stands",
        ),
        (
            "ConditionType",
            ConditionType::ALL.map(ConditionType::as_str).to_vec(),
            "What is told of an installation",
        ),
        (
            "ConditionStatus",
            ConditionStatus::ALL.map(ConditionStatus::as_str).to_vec(),
            "Whether it is so",
        ),
        (
            "StepStatus",
            StepStatus::ALL.map(StepStatus::as_str).to_vec(),
            "How far a step has come",
        ),
        (
            "QueueState",
            QueueState::ALL.map(QueueState::as_str).to_vec(),
            "Where a queue stands",
        ),
        (
            "WayRoundKind",
            WayRoundKind::ALL.map(WayRoundKind::as_str).to_vec(),
            "Which calls no whisper of a queue sees or stops",
        ),
    ]
}
