//! What the agent is told about a call that was not placed.
//!
//! One task per agent, number, rule and stretch of denials: the token of each is a digest of these, so redialling makes no
//! second task. A stretch lasts until the rule admits again; redials that an `until_quiet` rule denies belong to the
//! stretch they prolong.

use std::fmt::Write as _;

use jiff::Timestamp;
use ringfence_policy::{Language, Limit, describe};
use sha2::{Digest, Sha256};

use crate::adapters::Task;
use crate::case::Case;

/// Why a call was not placed.
pub(crate) enum Why<'a> {
    Limit {
        rule_id: &'a str,
        retry_at: Timestamp,
        stretch: Timestamp,
    },
    /// It could not be counted, and the policy denies what it cannot count.
    Unavailable,
}

/// The task, or nothing where the instance has no flow for it or the agent is not known.
pub(crate) fn task(case: &Case, why: &Why<'_>, stopped: bool) -> Option<Task> {
    let flow_id = case.snapshot.notice_flow_id.clone()?;
    let agent_arn = case.call.agent_arn.clone()?;
    let number = case
        .customer()
        .map(|number| number.as_str().to_owned())
        .unwrap_or_default();
    let (name, description, rule_id, stretch) = match why {
        // Whoever hears a customer's phone ring must not read that nothing was placed.
        _ if !stopped => (
            "Over a limit: please hang up",
            not_stopped_text(&number),
            "not-stopped",
            case.call.contact_id.clone(),
        ),
        Why::Limit {
            rule_id,
            retry_at,
            stretch,
        } => (
            "Call not placed: limit reached",
            limit_text(case, &number, rule_id, *retry_at),
            *rule_id,
            stretch.to_string(),
        ),
        Why::Unavailable => (
            "Call not placed: limits not available",
            unavailable_text(&number),
            "",
            minute(case.now).to_string(),
        ),
    };
    let client_token = token(&[
        &case.call.instance.arn,
        &agent_arn,
        &number,
        rule_id,
        &stretch,
    ]);
    let mut attributes = vec![("AgentARN", agent_arn), ("CustomerNumber", number)];
    if let Why::Limit {
        rule_id, retry_at, ..
    } = why
    {
        attributes.push(("RuleId", (*rule_id).to_owned()));
        attributes.push(("RetryAt", whole_second(*retry_at).to_string()));
    }
    attributes.retain(|(_, value)| !value.is_empty());
    Some(Task {
        flow_id,
        name: name.to_owned(),
        description,
        attributes,
        client_token,
    })
}

fn limit_text(case: &Case, number: &str, rule_id: &str, retry_at: Timestamp) -> String {
    let mut text = format!("The call to {number} was not placed, because a limit was reached.");
    let rule = case.snapshot.policy.rule(rule_id);
    if let Some(rule) = rule {
        let _ = write!(text, " {}: {}.", rule.name(), describe(rule, Language::En));
    }
    let when = whole_second(retry_at);
    let _ = write!(
        text,
        " Try again at {}, {}.",
        when.strftime("%H:%M:%S UTC on %-d %B %Y"),
        wait(case.now, when)
    );
    if rule.is_some_and(|rule| matches!(rule.limit(), Limit::UntilQuiet { .. })) {
        text.push_str(" Dialling before then starts the wait anew.");
    }
    text
}

fn not_stopped_text(number: &str) -> String {
    format!(
        "The call to {number} is over a limit and could not be stopped. If it is ringing or connected, please hang up."
    )
}

fn unavailable_text(number: &str) -> String {
    format!(
        "The call to {number} was not placed, because its limits could not be checked. Try again in a minute."
    )
}

/// Never a moment too early: the next whole second.
fn whole_second(at: Timestamp) -> Timestamp {
    let second = at
        .as_second()
        .saturating_add(i64::from(at.subsec_nanosecond() > 0));
    Timestamp::from_second(second).unwrap_or(at)
}

fn minute(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second().saturating_sub(at.as_second().rem_euclid(60)))
        .unwrap_or(at)
}

fn wait(now: Timestamp, until: Timestamp) -> String {
    let seconds = until.duration_since(now).as_secs().max(1);
    let (count, unit) = match seconds {
        ..120 => (seconds, "second"),
        120..7200 => (seconds.saturating_add(59) / 60, "minute"),
        _ => (seconds.saturating_add(3599) / 3600, "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("in {count} {unit}{plural}")
}

fn token(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_be_bytes());
        digest.update(part.as_bytes());
    }
    let mut text = String::new();
    for byte in digest.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_to_try_again_is_never_too_early() {
        assert_eq!(
            whole_second(at("2026-11-25T18:00:00.001Z")),
            at("2026-11-25T18:00:01Z")
        );
        assert_eq!(
            whole_second(at("2026-11-25T18:00:00Z")),
            at("2026-11-25T18:00:00Z")
        );
    }

    #[test]
    fn waits_are_told_in_the_unit_a_person_would_use() {
        let now = at("2026-11-25T18:00:00Z");
        let told = ["18:00:01", "18:01:00", "18:02:01", "18:59:00", "20:30:00"]
            .map(|time| wait(now, at(&format!("2026-11-25T{time}Z"))));
        assert_eq!(
            told,
            [
                "in 1 second",
                "in 60 seconds",
                "in 3 minutes",
                "in 59 minutes",
                "in 3 hours"
            ]
        );
    }

    #[test]
    fn a_token_tells_its_parts_apart() {
        assert_ne!(token(&["ab", "c"]), token(&["a", "bc"]));
        assert_eq!(token(&["ab", "c"]).len(), 64);
    }
}
