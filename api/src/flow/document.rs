//! The parts of a flow document that every generated flow shares.

use serde_json::{Value, json};

pub const VERSION: &str = "2019-10-30";
pub const ACTIONS_MAX: usize = 250;
pub const CHARACTERS_MAX: usize = 256_000;
pub const IDENTIFIER_MAX: usize = 50;

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
    condition("Equals", operand, next_action)
}

pub fn starts_with(operand: &str, next_action: &str) -> Value {
    condition("TextStartsWith", operand, next_action)
}

fn condition(operator: &str, operand: &str, next_action: &str) -> Value {
    json!({
        "NextAction": next_action,
        "Condition": { "Operator": operator, "Operands": [operand] },
    })
}

/// The first condition that holds decides where to; none of them: `otherwise`.
pub fn compare(identifier: &str, path: &str, conditions: Vec<Value>, otherwise: &str) -> Value {
    action(
        identifier,
        "Compare",
        json!({ "ComparisonValue": path }),
        json!({
            "NextAction": otherwise,
            "Errors": [error("NoMatchingCondition", otherwise)],
            "Conditions": conditions,
        }),
    )
}

/// Waits for the function as long as a flow may. What cannot be invoked, fails or is too slow goes on at `failed`.
pub fn invoke(
    identifier: &str,
    function_arn: &str,
    attributes: Value,
    next_action: &str,
    failed: &str,
) -> Value {
    action(
        identifier,
        "InvokeLambdaFunction",
        json!({
            "LambdaFunctionARN": function_arn,
            "InvocationTimeLimitSeconds": "8",
            "LambdaInvocationAttributes": attributes,
            "ResponseValidation": { "ResponseType": "STRING_MAP" },
        }),
        json!({
            "NextAction": next_action,
            "Errors": [error("NoMatchingError", failed)],
            "Conditions": [],
        }),
    )
}

/// Where an action may go on, in the order in which the flow language names them.
pub fn targets(action: &Value) -> impl Iterator<Item = &str> {
    let transitions = action.get("Transitions");
    let branches = ["Conditions", "Errors"]
        .into_iter()
        .filter_map(move |list| transitions?.get(list)?.as_array())
        .flatten();
    branches
        .chain(transitions)
        .filter_map(|branch| text(branch, "NextAction"))
}

pub fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member).and_then(Value::as_str)
}
