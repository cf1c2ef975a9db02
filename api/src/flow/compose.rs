//! The whisper flow: our check in front of what the queue ran before.
//!
//! Failure: every way in which the limiter does not say "deny" goes on to the rest, because a whisper flow cannot
//! hang up; a deny ends the flow, and the limiter itself has stopped the contact by then.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::WHISPER_NAME;
use super::document::{
    ACTIONS_MAX, CHARACTERS_MAX, IDENTIFIER_MAX, VERSION, action, equals, error, metadata, next,
    place,
};

const LOG: &str = "rf-log";
const CHANNEL: &str = "rf-channel";
const EMERGENCY: &str = "rf-emergency";
const LIMIT: &str = "rf-limit";
const VERDICT: &str = "rf-verdict";
const END: &str = "rf-end";
const DIAL: &str = "rf-dial";
const OWN: &str = "own-";
/// Rows of the editor that our own blocks take, so that the former whisper can be drawn below them.
const OWN_OFFSET_Y: f64 = 520.0;

/// What our part of the whisper needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Guard<'a> {
    pub function_arn: &'a str,
    /// Every spelling under which an emergency number may show as the customer's address.
    pub emergency: &'a [String],
}

/// What the call goes on to when it may go on.
#[derive(Debug, Clone, Copy)]
pub enum Rest<'a> {
    /// Content of the flow that the queue ran before.
    Own(&'a str),
    /// Nothing but the dialling itself.
    Bare,
}

/// Why a flow cannot be put behind our check.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotMergeable {
    #[error("the flow is not readable: {0}")]
    Unreadable(String),
    #[error("the flow has version {0}; only {VERSION} can be merged")]
    Version(String),
    #[error("the merged flow would have {0} actions; Connect allows {ACTIONS_MAX}")]
    TooManyActions(usize),
    #[error("the merged flow would have {0} characters; Connect allows {CHARACTERS_MAX}")]
    TooLong(usize),
    #[error("the flow is one of Ringfence's own")]
    AlreadyOurs,
}

/// Content of a whisper flow that asks the limiter first and then goes on to `rest`.
pub fn whisper(guard: Guard<'_>, rest: Rest<'_>) -> Result<String, NotMergeable> {
    let content = match rest {
        Rest::Bare => bare(guard),
        Rest::Own(original) => merged(guard, original)?,
    };
    let text = content.to_string();
    let characters = text.chars().count();
    if characters > CHARACTERS_MAX {
        return Err(NotMergeable::TooLong(characters));
    }
    Ok(text)
}

/// Whether this content was made by [`whisper`], whatever its name and tags say now.
#[must_use]
pub fn whisper_of_ours(content: &str) -> bool {
    let Ok(flow) = serde_json::from_str::<Value>(content) else {
        return false;
    };
    is_ours(&flow)
}

fn is_ours(flow: &Value) -> bool {
    let calls_the_limiter = flow
        .get("Actions")
        .and_then(Value::as_array)
        .is_some_and(|actions| {
            actions.iter().any(|action| {
                text(action, "Identifier") == Some(LIMIT)
                    && text(action, "Type") == Some("InvokeLambdaFunction")
            })
        });
    text(flow, "StartAction") == Some(LOG) && calls_the_limiter
}

fn bare(guard: Guard<'_>) -> Value {
    // Only a call can be dialled: other channels end here instead of reaching CompleteOutboundCall.
    let mut actions = guard_actions(guard, DIAL, END);
    actions.push(action(DIAL, "CompleteOutboundCall", json!({}), next(END)));
    let mut positions = guard_positions();
    positions.insert(DIAL.to_owned(), place(5, 1));
    json!({
        "Version": VERSION,
        "StartAction": LOG,
        "Metadata": metadata(WHISPER_NAME, positions),
        "Actions": actions,
    })
}

fn merged(guard: Guard<'_>, original: &str) -> Result<Value, NotMergeable> {
    let mut flow = parse(original)?;
    let names = renaming(&flow)?;
    let start = text(&flow, "StartAction")
        .and_then(|start| names.get(start))
        .cloned()
        .ok_or_else(|| unreadable("StartAction names no action"))?;
    let mut actions = guard_actions(guard, &start, &start);
    let own = flow
        .get_mut("Actions")
        .and_then(Value::as_array_mut)
        .ok_or_else(|| unreadable("Actions is not a list"))?;
    for action in own.iter_mut() {
        rename_action(action, &names)?;
    }
    actions.append(own);
    if actions.len() > ACTIONS_MAX {
        return Err(NotMergeable::TooManyActions(actions.len()));
    }
    let metadata = merged_metadata(flow.get("Metadata"), &names);
    let Value::Object(mut members) = flow else {
        return Err(unreadable("the document is not an object"));
    };
    members.insert("StartAction".to_owned(), json!(LOG));
    members.insert("Metadata".to_owned(), metadata);
    members.insert("Actions".to_owned(), Value::Array(actions));
    Ok(Value::Object(members))
}

fn parse(original: &str) -> Result<Value, NotMergeable> {
    let flow: Value = serde_json::from_str(original).map_err(|err| unreadable(&err.to_string()))?;
    if !flow.is_object() {
        return Err(unreadable("the document is not an object"));
    }
    match text(&flow, "Version") {
        Some(VERSION) => {}
        Some(other) => return Err(NotMergeable::Version(other.to_owned())),
        None => return Err(unreadable("Version is missing")),
    }
    if is_ours(&flow) {
        return Err(NotMergeable::AlreadyOurs);
    }
    Ok(flow)
}

fn unreadable(why: &str) -> NotMergeable {
    NotMergeable::Unreadable(why.to_owned())
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member).and_then(Value::as_str)
}

/// Old identifier → new identifier, for every action of the original.
fn renaming(flow: &Value) -> Result<BTreeMap<String, String>, NotMergeable> {
    let actions = flow
        .get("Actions")
        .and_then(Value::as_array)
        .ok_or_else(|| unreadable("Actions is not a list"))?;
    let mut names = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for action in actions {
        let old =
            text(action, "Identifier").ok_or_else(|| unreadable("an action has no Identifier"))?;
        let new = prefixed(old);
        if names.contains_key(old) || !taken.insert(new.clone()) {
            return Err(unreadable("two actions share an Identifier"));
        }
        names.insert(old.to_owned(), new);
    }
    Ok(names)
}

fn prefixed(identifier: &str) -> String {
    let plain = format!("{OWN}{identifier}");
    if plain.chars().count() <= IDENTIFIER_MAX {
        return plain;
    }
    let digest = Sha256::digest(identifier.as_bytes());
    let suffix: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let kept = IDENTIFIER_MAX - suffix.len() - 1;
    let head: String = plain.chars().take(kept).collect();
    format!("{head}-{suffix}")
}

fn rename_action(action: &mut Value, names: &BTreeMap<String, String>) -> Result<(), NotMergeable> {
    rename_member(action, "Identifier", names)?;
    let Some(transitions) = action.get_mut("Transitions") else {
        return Ok(());
    };
    rename_member(transitions, "NextAction", names)?;
    for list in ["Errors", "Conditions"] {
        if let Some(branches) = transitions.get_mut(list).and_then(Value::as_array_mut) {
            for branch in branches {
                rename_member(branch, "NextAction", names)?;
            }
        }
    }
    Ok(())
}

fn rename_member(
    holder: &mut Value,
    member: &str,
    names: &BTreeMap<String, String>,
) -> Result<(), NotMergeable> {
    let Some(value) = holder.get_mut(member) else {
        return Ok(());
    };
    let old = value
        .as_str()
        .ok_or_else(|| unreadable(&format!("{member} is not a text")))?;
    let new = names
        .get(old)
        .ok_or_else(|| unreadable(&format!("{member} names no action")))?;
    *value = json!(new);
    Ok(())
}

/// Editor positions and block notes of the original under the new names, moved below ours.
fn merged_metadata(original: Option<&Value>, names: &BTreeMap<String, String>) -> Value {
    let mut own = original.cloned().unwrap_or_else(|| json!({}));
    rename_everywhere(&mut own, names);
    let mut positions = guard_positions();
    if let Some(theirs) = own.get_mut("ActionMetadata").and_then(Value::as_object_mut) {
        for (identifier, mut note) in std::mem::take(theirs) {
            move_down(&mut note);
            positions.insert(identifier, note);
        }
    }
    let mut result = metadata(WHISPER_NAME, positions);
    if let (Value::Object(result), Value::Object(own)) = (&mut result, own) {
        for (key, value) in own {
            if !result.contains_key(&key) {
                result.insert(key, value);
            }
        }
    }
    result
}

/// Block notes refer to other blocks by identifier, in keys and in values, at depths the service does not document.
fn rename_everywhere(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::String(content) => {
            if let Some(new) = names.get(content.as_str()) {
                content.clone_from(new);
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| rename_everywhere(item, names)),
        Value::Object(members) => {
            let renamed: Map<String, Value> = std::mem::take(members)
                .into_iter()
                .map(|(key, mut member)| {
                    rename_everywhere(&mut member, names);
                    (names.get(&key).cloned().unwrap_or(key), member)
                })
                .collect();
            *members = renamed;
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn move_down(note: &mut Value) {
    if let Some(y) = note.pointer_mut("/position/y")
        && let Some(now) = y.as_f64()
    {
        *y = json!(now + OWN_OFFSET_Y);
    }
}

/// Our actions; calls go on at `rest`, everything that is no call at `other_channels`.
fn guard_actions(guard: Guard<'_>, rest: &str, other_channels: &str) -> Vec<Value> {
    let emergency: Vec<Value> = guard
        .emergency
        .iter()
        .map(|number| equals(number, rest))
        .collect();
    let first_check = if emergency.is_empty() {
        LIMIT
    } else {
        EMERGENCY
    };
    let mut actions = vec![
        action(
            LOG,
            "UpdateFlowLoggingBehavior",
            json!({ "FlowLoggingBehavior": "Enabled" }),
            next(CHANNEL),
        ),
        compare(
            CHANNEL,
            "$.Channel",
            vec![equals("VOICE", first_check)],
            other_channels,
        ),
    ];
    if !emergency.is_empty() {
        actions.push(compare(
            EMERGENCY,
            "$.CustomerEndpoint.Address",
            emergency,
            LIMIT,
        ));
    }
    actions.extend([
        action(
            LIMIT,
            "InvokeLambdaFunction",
            json!({
                "LambdaFunctionARN": guard.function_arn,
                "InvocationTimeLimitSeconds": "8",
                "LambdaInvocationAttributes": {
                    "AgentARN": "$.Agent.ARN",
                    "CallerId": "$.Queue.OutboundCallerId.Address",
                },
                "ResponseValidation": { "ResponseType": "STRING_MAP" },
            }),
            json!({ "NextAction": VERDICT, "Errors": [error("NoMatchingError", rest)], "Conditions": [] }),
        ),
        compare(VERDICT, "$.External.CallAllowed", vec![equals("false", END)], rest),
        action(END, "EndFlowExecution", json!({}), json!({})),
    ]);
    actions
}

fn compare(identifier: &str, path: &str, conditions: Vec<Value>, otherwise: &str) -> Value {
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

fn guard_positions() -> Map<String, Value> {
    [
        (LOG, place(0, 0)),
        (CHANNEL, place(1, 0)),
        (EMERGENCY, place(2, 0)),
        (LIMIT, place(3, 0)),
        (VERDICT, place(4, 0)),
        (END, place(5, 0)),
    ]
    .into_iter()
    .map(|(identifier, position)| (identifier.to_owned(), position))
    .collect()
}
