//! A customer's whisper with our check in front. Everything of theirs is kept: actions, their order, what the editor
//! notes beside them; identifiers get a prefix, so that none can be one of ours.
//!
//! Failure: what cannot be kept whole is refused with the reason.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::WHISPER_NAME;
use super::document::{ACTIONS_MAX, CHARACTERS_MAX, IDENTIFIER_MAX, VERSION, text};
use super::guard::{CHANNEL, Guard, guard_actions, is_ours};
use super::layout::{Below, arranged, entry_point, moved};

const OWN: &str = "own-";

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

pub fn merged(guard: Guard<'_>, original: &str) -> Result<Value, NotMergeable> {
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
    let count = actions.len().saturating_add(own.len());
    if count > ACTIONS_MAX {
        return Err(NotMergeable::TooManyActions(count));
    }
    let own = std::mem::take(own);
    let theirs = flow.get("Metadata").cloned().unwrap_or(Value::Null);
    let metadata = metadata(&actions, &own, &start, theirs, &names);
    actions.extend(own);
    let Value::Object(mut members) = flow else {
        return Err(unreadable("the document is not an object"));
    };
    members.insert("StartAction".to_owned(), json!(CHANNEL));
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

/// The editor's notes of the original under the new names and below our blocks. What the service says of a document
/// (its name, where its arrow begins) is said anew; everything else stays.
fn metadata(
    ours: &[Value],
    own: &[Value],
    start: &str,
    mut theirs: Value,
    names: &BTreeMap<String, String>,
) -> Value {
    rename_values(&mut theirs, names, false);
    let mut members = match theirs {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let (mut notes, below) = arranged(ours, CHANNEL, Below::NOTHING);
    let own_notes = match members.remove("ActionMetadata") {
        Some(Value::Object(own_notes)) => own_notes
            .into_iter()
            .map(|(key, note)| (names.get(&key).cloned().unwrap_or(key), note))
            .collect(),
        _ => Map::new(),
    };
    let mut none = Vec::new();
    let annotations = members
        .get_mut("Annotations")
        .and_then(Value::as_array_mut)
        .unwrap_or(&mut none);
    notes.extend(moved(own, start, own_notes, annotations, below));
    members.insert("entryPointPosition".to_owned(), entry_point());
    members.insert("name".to_owned(), json!(WHISPER_NAME));
    members.insert("ActionMetadata".to_owned(), Value::Object(notes));
    Value::Object(members)
}

/// Members that name blocks: those drawn as one with another, and the block that an annotation belongs to.
const REFERENCES: [&str; 3] = ["fragments", "children", "actionId"];
/// What people wrote into an annotation.
const WRITTEN: &str = "content";

/// Notes refer to blocks by identifier, at depths that the service does not document. An id that the editor itself gave is a
/// reference wherever it stands; "1" or "Voice", in a flow written by hand, only where blocks are named: elsewhere it may be
/// the key that a caller presses.
fn rename_values(value: &mut Value, names: &BTreeMap<String, String>, names_blocks: bool) {
    match value {
        Value::String(content) => {
            if let Some(new) = names.get(content.as_str())
                && (names_blocks || is_editors(content))
            {
                content.clone_from(new);
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| rename_values(item, names, names_blocks)),
        Value::Object(members) => members
            .iter_mut()
            .filter(|(key, _)| *key != WRITTEN)
            .for_each(|(key, member)| {
                let names_blocks = names_blocks || REFERENCES.contains(&key.as_str());
                rename_values(member, names, names_blocks);
            }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The flow editor calls blocks by UUIDs.
fn is_editors(identifier: &str) -> bool {
    Uuid::try_parse(identifier).is_ok()
}
