//! The whisper flow: our check in front of what the queue ran before.

use serde_json::{Value, json};

use super::WHISPER_NAME;
use super::document::{CHARACTERS_MAX, VERSION, action, next};
use super::guard::{END, Guard, LOG, guard_actions, is_ours, logged};
use super::layout::{Below, arranged, entry_point};
use super::merge::{NotMergeable, merged};

const DIAL: &str = "rf-dial";

/// What the call goes on to when it may go on.
#[derive(Debug, Clone, Copy)]
pub enum Rest<'a> {
    /// Content of the flow that the queue ran before.
    Own(&'a str),
    /// Nothing but the dialling itself.
    Bare,
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
    serde_json::from_str::<Value>(content).is_ok_and(|flow| is_ours(&flow))
}

fn bare(guard: Guard<'_>) -> Value {
    // Only a call can be dialled: other channels end here instead of reaching CompleteOutboundCall.
    let mut actions = vec![logged()];
    actions.extend(guard_actions(guard, DIAL, END));
    actions.push(action(DIAL, "CompleteOutboundCall", json!({}), next(END)));
    let (notes, _) = arranged(&actions, LOG, Below::NOTHING);
    json!({
        "Version": VERSION,
        "StartAction": LOG,
        "Metadata": {
            "entryPointPosition": entry_point(),
            "name": WHISPER_NAME,
            "ActionMetadata": notes,
        },
        "Actions": actions,
    })
}
