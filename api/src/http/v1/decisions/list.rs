//! Looking through decisions.

use axum::Json;
use ringfence_policy::wire::v1::Outcome;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::{DecisionBody, DecisionOutcome, policies_of};
use crate::auth::View;
use crate::domain::ids::DecisionId;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;
use crate::http::query::{Query, page};
use crate::store::{Cursor, DecisionFilter, StoredDecision};

const RULE_ID_MAX: usize = 63;
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

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecisionList {
    data: Vec<DecisionBody>,
    #[schema(example = "MTc2NDA3MjAwMDAwMDAwMA")]
    next_cursor: Option<String>,
}

/// List decisions, newest first
#[utoipa::path(
    get, path = "/v1/decisions", operation_id = "decisions_list", tag = "decisions",
    security(("bearer" = [View::NAME])),
    params(
        (
            "instance_id" = Option<String>, Query, description = "The instance",
            example = "ins_01890a5d000070008000000000000000",
        ),
        ("outcome" = Option<DecisionOutcome>, Query, description = "How it ended"),
        ("rule_id" = Option<String>, Query, description = "The rule that decided", example = "repeat-calls"),
        ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, body = DecisionList))
)]
pub(in crate::http) async fn list(
    caller: Caller<View>,
    mut query: Query,
) -> ApiResult<Json<DecisionList>> {
    let filter = DecisionFilter {
        instance: query.parsed(
            "instance_id",
            |text| text.parse().ok(),
            "the id of an instance",
        )?,
        outcome: query.parsed("outcome", outcome, &outcome_words())?,
        rule_id: query.parsed("rule_id", rule_id, "the id of a rule")?,
    };
    let limit = query.limit()?;
    let cursor = query.cursor(read_cursor)?;
    query.finish()?;
    let mut tx = caller.begin().await?;
    let decisions = tx.decision_list(&filter, cursor, limit + 1).await?;
    let policies = policies_of(&mut tx, &decisions).await?;
    let list = page(decisions, limit, write_cursor, |decision| {
        DecisionBody::new(decision, &policies)
    });
    Ok(Json(DecisionList {
        data: list.data,
        next_cursor: list.next_cursor,
    }))
}

fn outcome(text: &str) -> Option<String> {
    let known = OUTCOMES.iter().find(|outcome| outcome.as_str() == text)?;
    Some(known.as_str().to_owned())
}

fn outcome_words() -> String {
    format!("one of {}", OUTCOMES.map(Outcome::as_str).join(", "))
}

fn rule_id(text: &str) -> Option<String> {
    (text.len() <= RULE_ID_MAX && !text.contains('\0')).then(|| text.to_owned())
}

fn write_cursor(decision: &StoredDecision) -> String {
    format!("{} {}", decision.at.as_microsecond(), decision.id)
}

fn read_cursor(text: &str) -> Option<Cursor> {
    let (at, id) = text.split_once(' ')?;
    // Postgres does not reach as far back as a timestamp does.
    let at = at.parse().ok().filter(|at| *at >= 0)?;
    Some(Cursor {
        at: jiff::Timestamp::from_microsecond(at).ok()?,
        id: id.parse::<DecisionId>().ok()?,
    })
}
