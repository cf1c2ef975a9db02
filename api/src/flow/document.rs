//! The parts of a flow document that every generated flow shares.

use serde_json::{Map, Value, json};

pub const VERSION: &str = "2019-10-30";
pub const ACTIONS_MAX: usize = 250;
pub const CHARACTERS_MAX: usize = 256_000;
pub const IDENTIFIER_MAX: usize = 50;

/// Distance between neighbouring blocks in the flow editor, which draws them about 200 × 150.
const COLUMN: i64 = 260;
const ROW: i64 = 220;

pub fn action(identifier: &str, kind: &str, parameters: Value, transitions: Value) -> Value {
    json!({
        "Identifier": identifier,
        "Type": kind,
        "Parameters": parameters,
        "Transitions": transitions,
    })
}

pub fn next(identifier: &str) -> Value {
    json!({ "NextAction": identifier, "Errors": [], "Conditions": [] })
}

pub fn error(kind: &str, next_action: &str) -> Value {
    json!({ "ErrorType": kind, "NextAction": next_action })
}

pub fn equals(operand: &str, next_action: &str) -> Value {
    json!({
        "NextAction": next_action,
        "Condition": { "Operator": "Equals", "Operands": [operand] },
    })
}

/// Where a block stands in the flow editor.
pub fn place(column: i64, row: i64) -> Value {
    json!({ "position": { "x": 160 + column * COLUMN, "y": 20 + row * ROW } })
}

pub fn metadata(name: &str, action_metadata: Map<String, Value>) -> Value {
    json!({
        "entryPointPosition": { "x": 20, "y": 20 },
        "name": name,
        "ActionMetadata": action_metadata,
    })
}
