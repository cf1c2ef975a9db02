//! What a flow of ours must hold: the customer's blocks as they are now, and what the tenant asked for. Pure.

use serde_json::Value;

use super::super::script::Request;
use super::super::site::{Seen, SeenFlow, Site};

/// Why a whisper of ours is not what it should be.
pub fn differing(site: &Site, seen: &Seen, flow: &SeenFlow, request: &Request) -> Option<String> {
    // A copy of what is gone stays as it is.
    let is_orphan = flow.original().is_some_and(|id| site.gone.contains(id));
    if !flow.is_whisper_of_ours() || is_orphan {
        return None;
    }
    let is_bare = request.existing_whisper == "replace" && flow.original().is_none();
    let behind = flow.original().unwrap_or(site.default_outbound());
    let original = seen.flows.iter().find(|flow| flow.id == behind);
    let theirs: Vec<Value> = match original {
        Some(original) if !is_bare => actions(original).into_iter().map(renamed).collect(),
        _ => Vec::new(),
    };
    let ours = actions(flow);
    let own = |action: &&Value| identifier(action).starts_with("own-");
    let kept: Vec<Part<'_>> = ours.iter().filter(own).map(part).collect();
    if kept != theirs.iter().map(part).collect::<Vec<_>>() {
        let (name, behind) = (&flow.name, original.map(|flow| &flow.name));
        return Some(format!(
            "the flow {name} does not go on to {behind:?} as that is now"
        ));
    }
    let has = |block: &str| ours.iter().any(|action| identifier(action) == block);
    let asked = (!request.prefix_filter.is_empty(), request.denies());
    let got = (has("rf-prefix"), has("rf-fallback"));
    (got != asked).then(|| {
        let name = &flow.name;
        format!("the flow {name} has prefix filter and fallback {got:?}, not {asked:?}")
    })
}

type Part<'a> = (&'a str, &'a Value, &'a Value);

/// What an action is and does, wherever it leads.
fn part(action: &Value) -> Part<'_> {
    (identifier(action), &action["Type"], &action["Parameters"])
}

fn identifier(action: &Value) -> &str {
    action["Identifier"].as_str().unwrap_or_default()
}

fn renamed(mut action: Value) -> Value {
    action["Identifier"] = format!("own-{}", identifier(&action)).into();
    action
}

fn actions(flow: &SeenFlow) -> Vec<Value> {
    let content: Value = serde_json::from_str(&flow.content).unwrap_or_default();
    content["Actions"].as_array().cloned().unwrap_or_default()
}
