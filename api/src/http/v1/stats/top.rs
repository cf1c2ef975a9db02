//! What most decisions have in common.

use axum::Json;
use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use super::period::period;
use crate::auth::View;
use crate::http::caller::Caller;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::http::query::Query;
use crate::http::v1::decisions::{self, DecisionOutcome};
use crate::store::TopCount;

const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// What decisions are put together by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StatsBy {
    RuleId,
    InstanceId,
    CustomerNumber,
    CallerId,
    AgentArn,
    QueueArn,
}

impl StatsBy {
    const ALL: [Self; 6] = [
        Self::RuleId,
        Self::InstanceId,
        Self::CustomerNumber,
        Self::CallerId,
        Self::AgentArn,
        Self::QueueArn,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::RuleId => "rule_id",
            Self::InstanceId => "instance_id",
            Self::CustomerNumber => "customer_number",
            Self::CallerId => "caller_id",
            Self::AgentArn => "agent_arn",
            Self::QueueArn => "queue_arn",
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TopList {
    by: StatsBy,
    data: Vec<TopBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Top)]
pub(super) struct TopBody {
    #[schema(example = "repeat-calls")]
    value: String,
    #[schema(example = 200)]
    decisions: i64,
}

impl From<TopCount> for TopBody {
    fn from(count: TopCount) -> Self {
        Self {
            value: count.value,
            decisions: count.decisions,
        }
    }
}

/// The rules, numbers, agents … with the most decisions
///
/// The most frequent first. Decisions that have none are not counted: an allowed call, for one, has no rule.
#[utoipa::path(
    get, path = "/v1/stats/top", operation_id = "stats_top", tag = "stats",
    security(("bearer" = [View::NAME])),
    params(
        ("by" = StatsBy, Query, description = "What they are put together by"),
        ("outcome" = Option<DecisionOutcome>, Query, description = "Only decisions that ended so"),
        (
            "from" = Option<String>, Query, description = "From this time on; 24 hours before `to` if not given",
            format = DateTime, example = "2026-11-25T12:00:00Z",
        ),
        (
            "to" = Option<String>, Query, description = "Before this time, at most 31 days after `from`; now if not given",
            format = DateTime, example = "2026-11-25T13:00:00Z",
        ),
        ("instance_id" = Option<String>, Query, description = "The instance"),
        ("limit" = Option<u32>, Query),
    ),
    responses((status = 200, body = TopList))
)]
pub(in crate::http) async fn top(
    caller: Caller<View>,
    mut query: Query,
) -> ApiResult<Json<TopList>> {
    let words = StatsBy::ALL.map(StatsBy::as_str).join(", ");
    let known = |word: &str| StatsBy::ALL.into_iter().find(|by| by.as_str() == word);
    let by = query
        .parsed("by", known, &format!("one of {words}"))?
        .ok_or_else(|| {
            let detail = format!("the query parameter \"by\" is required: one of {words}");
            ApiError::new(Code::MalformedRequest, detail)
        })?;
    let outcome = decisions::outcome(&mut query)?;
    let period = period(&mut query, caller.now(), LONGEST)?;
    let limit = query.limit()?;
    query.finish()?;
    let _turn = caller.app.turns.count().await?;
    let mut tx = caller.begin().await?;
    let found = tx
        .stats_top(&period, by.as_str(), outcome.as_deref(), limit)
        .await?;
    Ok(Json(TopList {
        by,
        data: found.into_iter().map(Into::into).collect(),
    }))
}
