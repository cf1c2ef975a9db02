//! What the agent is told about a call that was not placed.
//!
//! One task per agent, number, rule and stretch of denials: the token of each is a digest of these, so redialling makes no
//! second task. A stretch lasts until the rule admits again; redials that an `until_quiet` rule denies belong to the
//! stretch they prolong. A blocked number is told once a day, what could not be counted once a minute.
//!
//! Failure: what cannot be told at once is left on the record for the control plane, which goes by the same token; a text
//! longer than Connect takes is cut.

mod english;
mod report;
mod spanish;
mod tell;
mod tongue;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use ringfence_policy::wire::v1::{DeferredNotice, NoticeStatus};
use ringfence_policy::{Limit, Notices, Placeholder, describe};
use sha2::{Digest, Sha256};

use crate::adapters::Task;
use crate::case::Case;
use tongue::{Subject, Told, Tongue};

pub(crate) use report::Report;
pub(crate) use tell::is_told;

/// Connect's own limit.
const DESCRIPTION_MAX: usize = 4096;
const DAY_SECONDS: i64 = 86_400;

/// Why a call was not placed.
pub(crate) enum Why<'a> {
    Limit {
        rule_id: &'a str,
        retry_at: Timestamp,
        stretch: Timestamp,
    },
    /// The number is on the tenant's list.
    Blocked { until: Option<Timestamp> },
    /// It could not be counted, and the policy denies what it cannot count.
    Unavailable,
}

impl Why<'_> {
    fn retry_at(&self) -> Option<Timestamp> {
        match self {
            Self::Limit { retry_at, .. } => Some(whole_second(*retry_at)),
            Self::Blocked { until } => until.map(whole_second),
            Self::Unavailable => None,
        }
    }

    /// What tells one task from the next. No rule's id has a mark in it.
    fn stretch(&self, now: Timestamp) -> (&str, String) {
        match self {
            Self::Limit {
                rule_id, stretch, ..
            } => (rule_id, stretch.to_string()),
            Self::Blocked { .. } => ("!blocked", begin_of(now, DAY_SECONDS).to_string()),
            Self::Unavailable => ("", begin_of(now, 60).to_string()),
        }
    }
}

/// The task, or why nobody is told: the instance has no flow for it, or the agent is not known.
fn task(case: &Case, why: &Why<'_>, stopped: bool) -> Result<Task, NoticeStatus> {
    let flow_id = case
        .snapshot
        .notice_flow_id
        .clone()
        .ok_or(NoticeStatus::NoFlow)?;
    let agent_arn = case.call.agent_arn.as_ref().ok_or(NoticeStatus::NoAgent)?;
    let number = case.customer().map_or("", |number| number.as_str());
    let (kind, stretch) = if stopped {
        why.stretch(case.now)
    } else {
        ("!not-stopped", case.call.contact_id.clone())
    };
    let mut attributes = BTreeMap::from([
        ("AgentARN", agent_arn.clone()),
        ("CustomerNumber", number.to_owned()),
        ("DecisionContactId", case.call.contact_id.clone()),
    ]);
    if let Why::Limit { rule_id, .. } = why {
        attributes.insert("RuleId", (*rule_id).to_owned());
    }
    if let Some(retry_at) = why.retry_at() {
        attributes.insert("RetryAt", retry_at.to_string());
    }
    attributes.retain(|_, value| !value.is_empty());
    let (name, description) = words(case, why, stopped, agent_arn, number);
    Ok(Task {
        flow_id,
        content: DeferredNotice {
            name,
            description,
            attributes: attributes
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            client_token: token(&[&case.call.instance.arn, agent_arn, number, kind, &stretch]),
        },
    })
}

/// Name and description of the task, in the language and by the clock that the policy names.
fn words(
    case: &Case,
    why: &Why<'_>,
    stopped: bool,
    agent_arn: &str,
    number: &str,
) -> (String, String) {
    let notices: &Notices = case.snapshot.policy.notices();
    let tongue = Tongue::of(notices.language());
    let zone = notices.time_zone_of(agent_arn).time_zone();
    let rule = match why {
        Why::Limit { rule_id, .. } => case.snapshot.policy.rule(rule_id),
        Why::Blocked { .. } | Why::Unavailable => None,
    };
    let subject = match why {
        // Whoever hears a customer's phone ring must not read that nothing was placed.
        _ if !stopped => Subject::NotStopped,
        Why::Limit { .. } => Subject::Limit {
            redialling_prolongs: rule
                .is_some_and(|rule| matches!(rule.limit(), Limit::UntilQuiet { .. })),
        },
        Why::Blocked { .. } => Subject::Blocked,
        Why::Unavailable => Subject::Unavailable,
    };
    let told = Told {
        number,
        rule: rule.map(|rule| (rule.name(), describe(rule, notices.language()))),
        retry: why.retry_at().map(|at| {
            let moment = (tongue.moment)(&at.to_zoned_datetime(zone.clone()));
            (moment, (tongue.wait)(seconds_between(case.now, at)))
        }),
    };
    let own_words = rule
        .and_then(|rule| rule.notice())
        .filter(|_| matches!(subject, Subject::Limit { .. }));
    let text = match own_words {
        Some(template) => template.fill(|placeholder| told.value(placeholder)),
        None => (tongue.text)(subject, &told),
    };
    ((tongue.title)(subject).to_owned(), shortened(text))
}

impl Told<'_> {
    fn value(&self, placeholder: Placeholder) -> String {
        let rule = self.rule.as_ref();
        let retry = self.retry.as_ref();
        match placeholder {
            Placeholder::Number => self.number.to_owned(),
            Placeholder::Rule => rule.map(|(name, _)| (*name).to_owned()).unwrap_or_default(),
            Placeholder::Limit => rule.map(|(_, limit)| limit.clone()).unwrap_or_default(),
            Placeholder::RetryAt => retry.map(|(moment, _)| moment.clone()).unwrap_or_default(),
            Placeholder::Wait => retry.map(|(_, wait)| wait.clone()).unwrap_or_default(),
        }
    }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(DESCRIPTION_MAX) {
        None => text,
        Some(_) => {
            let kept: String = text
                .chars()
                .take(DESCRIPTION_MAX.saturating_sub(1))
                .collect();
            format!("{kept}…")
        }
    }
}

/// Never a moment too early: the next whole second.
fn whole_second(at: Timestamp) -> Timestamp {
    let second = at
        .as_second()
        .saturating_add(i64::from(at.subsec_nanosecond() > 0));
    Timestamp::from_second(second).unwrap_or(at)
}

/// The begin of the stretch of so many seconds that a time falls into.
fn begin_of(at: Timestamp, seconds: i64) -> Timestamp {
    let into = at.as_second().rem_euclid(seconds);
    Timestamp::from_second(at.as_second().saturating_sub(into)).unwrap_or(at)
}

/// Rounded up, like [`whole_second`].
fn seconds_between(now: Timestamp, until: Timestamp) -> i64 {
    let wait_ms = until.duration_since(now).as_millis().max(1);
    i64::try_from(wait_ms.saturating_add(999).saturating_div(1000)).unwrap_or(i64::MAX)
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
    fn who_waits_as_long_as_was_told_is_not_too_early() {
        let now = at("2026-11-25T18:00:00.8Z");
        for (until, seconds) in [
            ("18:01:00.8", 60),
            ("18:01:01", 61),
            ("18:01:00.801", 61),
            ("18:00:00.8", 1),
        ] {
            let until = at(&format!("2026-11-25T{until}Z"));
            assert_eq!(seconds_between(now, until), seconds, "{until}");
        }
    }

    #[test]
    fn a_token_tells_its_parts_apart() {
        assert_ne!(token(&["ab", "c"]), token(&["a", "bc"]));
        assert_eq!(token(&["ab", "c"]).len(), 64);
    }

    #[test]
    fn a_blocked_number_is_told_once_a_day_and_what_was_not_counted_once_a_minute() {
        let stretches = |why: Why<'_>| {
            ["18:00:01", "18:00:59", "18:01:00", "23:59:59"]
                .map(|time| why.stretch(at(&format!("2026-11-25T{time}Z"))).1)
        };
        let blocked = stretches(Why::Blocked { until: None });
        assert!(
            blocked.iter().all(|stretch| *stretch == blocked[0]),
            "{blocked:?}"
        );
        let [first, second, third, _] = stretches(Why::Unavailable);
        assert!(first == second && second != third);
    }

    #[test]
    fn a_text_is_never_longer_than_connect_takes() {
        let long = shortened("é".repeat(5000));
        assert_eq!(long.chars().count(), DESCRIPTION_MAX);
        assert!(long.ends_with("é…"));
        assert_eq!(shortened("é".repeat(4096)), "é".repeat(4096));
    }
}
