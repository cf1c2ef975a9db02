//! Looking through decisions.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::{DecisionBody, DecisionOutcome, policies_of};
use super::filter::filter;
use crate::auth::View;
use crate::domain::ids::DecisionId;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;
use crate::http::query::{Query, page};
use crate::store::{Cursor, StoredDecision};

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
        ("from" = Option<String>, Query, description = "From this time on", format = DateTime, example = "2026-11-24T12:00:00Z"),
        (
            "to" = Option<String>, Query, description = "Before this time", format = DateTime,
            example = "2026-11-25T12:00:00Z",
        ),
        ("instance_id" = Option<String>, Query, description = "The instance"),
        ("outcome" = Option<DecisionOutcome>, Query, description = "How it ended"),
        ("rule_id" = Option<String>, Query, description = "The rule that decided", example = "repeat-calls"),
        ("customer_number" = Option<String>, Query, description = "The customer's number, in E.164", example = "+12065550100"),
        ("caller_id" = Option<String>, Query, description = "The number that the customer sees, in E.164", example = "+14255550100"),
        (
            "agent_arn" = Option<String>, Query, description = "The agent",
            example = "arn:aws:connect:us-east-1:111122223333:instance/5f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b/agent/11111111-2222-4333-8444-555555555555",
        ),
        (
            "queue_arn" = Option<String>, Query, description = "The queue",
            example = "arn:aws:connect:us-east-1:111122223333:instance/5f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b/queue/7d1c4a55-2200-4265-82c0-0123456789ab",
        ),
        ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, body = DecisionList))
)]
pub(in crate::http) async fn list(
    caller: Caller<View>,
    mut query: Query,
) -> ApiResult<Json<DecisionList>> {
    let filter = filter(&mut query)?;
    let limit = query.limit()?;
    let cursor = query.cursor(read_cursor)?;
    query.finish()?;
    let _turn = match filter.asks_for_some() {
        true => Some(caller.app.turns.search().await?),
        false => None,
    };
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
