//! Our part of a whisper: who is asked, about which calls, and what follows from the answer.
//!
//! Failure: a whisper flow cannot hang up. Where the limiter gives no answer the call goes on to the rest, or, where the
//! tenant wants it denied, to the fallback function, which stops it; where that fails too, nothing is left to stop it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::document::{action, compare, equals, invoke, next, starts_with, text};

pub const LOG: &str = "rf-log";
/// The first of our checks.
pub const CHANNEL: &str = "rf-channel";
const EMERGENCY: &str = "rf-emergency";
const PREFIX: &str = "rf-prefix";
const LIMIT: &str = "rf-limit";
const VERDICT: &str = "rf-verdict";
const FALLBACK: &str = "rf-fallback";
pub const END: &str = "rf-end";

/// A comparison block takes no more.
const CONDITIONS_MAX: usize = 50;

const CALLED: &str = "$.CustomerEndpoint.Address";

/// What our part of the whisper needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Guard<'a> {
    pub function_arn: &'a str,
    /// Every spelling under which an emergency number may show as the customer's address.
    pub emergency: &'a [String],
    /// Only calls to numbers that begin with one of these are the limiter's; none means all calls.
    pub prefixes: &'a BTreeSet<String>,
    /// The function in the customer's account that stops a call about which the limiter gave no answer.
    pub fallback_arn: Option<&'a str>,
}

/// Our actions, from [`CHANNEL`] on; calls go on at `rest`, everything that is no call at `other_channels`. None of them sets
/// whether the flow is logged: what is set in front of a whisper of the customer's holds for that whisper, too.
pub fn guard_actions(guard: Guard<'_>, rest: &str, other_channels: &str) -> Vec<Value> {
    let checks = checks(guard, rest);
    let check_at = |at: usize| checks.get(at).map_or(LIMIT, |(check, _)| check.as_str());
    let is_call = vec![equals("VOICE", check_at(0))];
    let mut actions = vec![compare(CHANNEL, "$.Channel", is_call, other_channels)];
    for (at, (check, conditions)) in checks.iter().enumerate() {
        actions.push(compare(check, CALLED, conditions.clone(), check_at(at + 1)));
    }
    let caller =
        json!({ "AgentARN": "$.Agent.ARN", "CallerId": "$.Queue.OutboundCallerId.Address" });
    let unanswered = guard.fallback_arn.map_or(rest, |_| FALLBACK);
    actions.extend([
        invoke(
            LIMIT,
            guard.function_arn,
            caller.clone(),
            VERDICT,
            unanswered,
        ),
        verdict(rest, unanswered),
    ]);
    if let Some(fallback) = guard.fallback_arn {
        // A call that cannot be stopped goes on to the rest: its consent and recording are still to be played.
        actions.push(invoke(FALLBACK, fallback, caller, END, rest));
    }
    actions.push(action(END, "EndFlowExecution", json!({}), json!({})));
    actions
}

/// The comparisons of the number called that stand before the limiter, by identifier.
fn checks(guard: Guard<'_>, rest: &str) -> Vec<(String, Vec<Value>)> {
    let emergency = guard.emergency.chunks(CONDITIONS_MAX).enumerate();
    let mut checks: Vec<(String, Vec<Value>)> = emergency
        .map(|(at, numbers)| {
            let check = match at {
                0 => EMERGENCY.to_owned(),
                _ => format!("{EMERGENCY}-{}", at + 1),
            };
            let conditions = numbers.iter().map(|number| equals(number, rest));
            (check, conditions.collect())
        })
        .collect();
    let prefixes = prefix_conditions(guard, rest);
    if !prefixes.is_empty() {
        checks.push((PREFIX.to_owned(), prefixes));
    }
    checks
}

/// Whoever is called by an international number with another beginning is not the limiter's; a number in any other
/// form says nothing by its beginning, so that the limiter is asked.
fn prefix_conditions(guard: Guard<'_>, rest: &str) -> Vec<Value> {
    if guard.prefixes.is_empty() {
        return Vec::new();
    }
    guard
        .prefixes
        .iter()
        .map(|prefix| starts_with(prefix, LIMIT))
        .chain([starts_with("+", rest)])
        .collect()
}

fn verdict(rest: &str, unanswered: &str) -> Value {
    let mut conditions = vec![equals("false", END)];
    if unanswered != rest {
        conditions.push(equals("true", rest));
    }
    compare(VERDICT, "$.External.CallAllowed", conditions, unanswered)
}

/// Has the blocks from here on logged: only where all of them are ours.
pub fn logged() -> Value {
    action(
        LOG,
        "UpdateFlowLoggingBehavior",
        json!({ "FlowLoggingBehavior": "Enabled" }),
        next(CHANNEL),
    )
}

/// Whether the flow was made by us, whatever its name and tags say now.
pub fn is_ours(flow: &Value) -> bool {
    let calls_the_limiter = flow
        .get("Actions")
        .and_then(Value::as_array)
        .is_some_and(|actions| {
            actions.iter().any(|action| {
                text(action, "Identifier") == Some(LIMIT)
                    && text(action, "Type") == Some("InvokeLambdaFunction")
            })
        });
    // Merged flows, too, once began with the logging.
    let begins_as_ours = matches!(text(flow, "StartAction"), Some(CHANNEL | LOG));
    begins_as_ours && calls_the_limiter
}
