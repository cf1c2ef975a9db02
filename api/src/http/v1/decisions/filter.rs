//! Which decisions are meant: the query parameters that listing, exporting and counting share.

use jiff::Timestamp;
use ringfence_policy::wire::v1::Outcome;

use crate::domain::ids::InstanceId;
use crate::domain::phone::PhoneNumber;
use crate::http::problem::ApiResult;
use crate::http::query::Query;
use crate::store::DecisionFilter;

const RULE_ID_MAX: usize = 63;
const ARN_MAX: usize = 500;
const NUMBER_MAX: usize = 100;
const OUTCOMES: [Outcome; 9] = [
    Outcome::Allowed,
    Outcome::Denied,
    Outcome::WouldDeny,
    Outcome::Emergency,
    Outcome::Exempt,
    Outcome::Unregistered,
    Outcome::Suspended,
    Outcome::FailedOpen,
    Outcome::FailedClosed,
];

pub(super) fn filter(query: &mut Query) -> ApiResult<DecisionFilter> {
    let wanted =
        "a number in E.164, such as +12065550100, or what was typed where that is no number";
    Ok(DecisionFilter {
        from: time(query, "from")?,
        to: time(query, "to")?,
        customer_number: query.parsed("customer_number", number, wanted)?,
        caller_id: query.parsed("caller_id", number, wanted)?,
        agent_arn: query.parsed(
            "agent_arn",
            |text| short(text, ARN_MAX),
            "the ARN of an agent",
        )?,
        queue_arn: query.parsed(
            "queue_arn",
            |text| short(text, ARN_MAX),
            "the ARN of a queue",
        )?,
        ..live_filter(query)?
    })
}

/// What can be asked of decisions that are still to come.
pub(super) fn live_filter(query: &mut Query) -> ApiResult<DecisionFilter> {
    Ok(DecisionFilter {
        instance: instance(query)?,
        outcome: outcome(query)?,
        rule_id: query.parsed(
            "rule_id",
            |text| short(text, RULE_ID_MAX),
            "the id of a rule",
        )?,
        ..DecisionFilter::default()
    })
}

pub(in crate::http::v1) fn instance(query: &mut Query) -> ApiResult<Option<InstanceId>> {
    query.parsed(
        "instance_id",
        |text| text.parse().ok(),
        "the id of an instance",
    )
}

pub(in crate::http::v1) fn outcome(query: &mut Query) -> ApiResult<Option<String>> {
    query.parsed("outcome", known_outcome, &outcome_words())
}

/// A time that the database can compare with its own.
pub(in crate::http::v1) fn time(query: &mut Query, name: &str) -> ApiResult<Option<Timestamp>> {
    let storable = |text: &str| {
        let time: Timestamp = text.parse().ok()?;
        (time.as_second() >= 0).then_some(time)
    };
    query.parsed(
        name,
        storable,
        "an RFC 3339 time since 1970, such as 2026-11-25T12:00:00Z",
    )
}

fn number(text: &str) -> Option<String> {
    // A plus that was not written as %2B has become a space.
    let written = match text.strip_prefix(' ') {
        Some(rest) => format!("+{rest}"),
        None => text.to_owned(),
    };
    match PhoneNumber::read(&written) {
        Some(number) => Some(number.as_str().to_owned()),
        None => short(text, NUMBER_MAX),
    }
}

fn known_outcome(text: &str) -> Option<String> {
    let known = OUTCOMES.iter().find(|outcome| outcome.as_str() == text)?;
    Some(known.as_str().to_owned())
}

fn outcome_words() -> String {
    format!("one of {}", OUTCOMES.map(Outcome::as_str).join(", "))
}

fn short(text: &str, most: usize) -> Option<String> {
    (text.len() <= most && !text.contains('\0')).then(|| text.to_owned())
}
