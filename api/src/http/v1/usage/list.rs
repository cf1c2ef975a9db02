//! A tenant's decisions by month.

use std::collections::BTreeMap;

use axum::Json;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::View;
use crate::domain::quota::Quota;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;
use crate::http::query::Query;
use crate::store::UsageCount;

const MONTHS_DEFAULT: i32 = 12;
const MONTHS_MAX: i32 = 60;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Usage {
    data: Vec<UsageMonth>,
    decisions_per_month: DecisionsQuota,
}

/// Decisions of one month in UTC. Each attempt counts once, by how it ended.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UsageMonth {
    #[schema(pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$", example = "2026-11")]
    month: String,
    #[schema(example = 12_000)]
    decisions: i64,
    /// By outcome; outcomes without any are left out.
    #[schema(example = json!({ "allowed": 11_800, "denied": 200 }))]
    by_outcome: BTreeMap<String, i64>,
}

/// What is agreed for a month. It is only told: calls go on being limited beyond it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecisionsQuota {
    /// Null: no quota.
    #[schema(example = 1_000_000)]
    limit: Option<i64>,
    #[schema(example = 12_000)]
    used: i64,
    #[schema(example = false)]
    exceeded: bool,
}

/// Decisions by month
///
/// Newest first; months without any are left out. Counts stay when decisions are forgotten.
#[utoipa::path(
    get, path = "/v1/usage", operation_id = "usage_list", tag = "usage",
    security(("bearer" = [View::NAME])),
    params(("months" = Option<i32>, Query, minimum = 1, maximum = 60,
        description = "How many months to go back, the present one included; 12 if not given")),
    responses((status = 200, body = Usage))
)]
pub(in crate::http) async fn list(
    caller: Caller<View>,
    mut query: Query,
) -> ApiResult<Json<Usage>> {
    let wanted = |text: &str| {
        let months: i32 = text.parse().ok()?;
        (1..=MONTHS_MAX).contains(&months).then_some(months)
    };
    let months = query.parsed("months", wanted, "a number from 1 to 60")?;
    query.finish()?;
    let now = caller.now();
    let from = first_month(now, months.unwrap_or(MONTHS_DEFAULT));
    let mut tx = caller.begin().await?;
    let counts = tx.usage_list(from).await?;
    let quota = tx.quota_get(Quota::DecisionsPerMonth, now).await?;
    Ok(Json(Usage {
        data: by_month(counts),
        decisions_per_month: DecisionsQuota {
            limit: quota.most,
            used: quota.used,
            exceeded: quota.is_exceeded(),
        },
    }))
}

/// The beginning of the first of so many months, this one included.
fn first_month(now: Timestamp, months: i32) -> Timestamp {
    let this_month = TimeZone::UTC.to_datetime(now).date().first_of_month();
    this_month
        .checked_sub((months - 1).months())
        .and_then(|day| TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)))
        .unwrap_or(now)
}

/// The counts come month by month.
fn by_month(counts: Vec<UsageCount>) -> Vec<UsageMonth> {
    let mut months: Vec<UsageMonth> = Vec::new();
    for count in counts {
        let is_new = months.last().is_none_or(|last| last.month != count.month);
        if is_new {
            months.push(UsageMonth {
                month: count.month,
                decisions: 0,
                by_outcome: BTreeMap::new(),
            });
        }
        if let Some(last) = months.last_mut() {
            last.decisions += count.decisions;
            last.by_outcome.insert(count.outcome, count.decisions);
        }
    }
    months
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_counted_back_from_the_present_one() {
        let now = "2026-01-31T23:59:59Z".parse().expect("a time");
        assert_eq!(first_month(now, 1).to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(first_month(now, 12).to_string(), "2025-02-01T00:00:00Z");
        assert_eq!(first_month(now, 60).to_string(), "2021-02-01T00:00:00Z");
    }

    #[test]
    fn outcomes_of_a_month_add_up() {
        let count = |month: &str, outcome: &str, decisions| UsageCount {
            month: month.to_owned(),
            outcome: outcome.to_owned(),
            decisions,
        };
        let months = by_month(vec![
            count("2026-11", "allowed", 5),
            count("2026-11", "denied", 2),
            count("2026-10", "allowed", 1),
        ]);
        let told: Vec<(&str, i64)> = months
            .iter()
            .map(|month| (month.month.as_str(), month.decisions))
            .collect();
        assert_eq!(told, [("2026-11", 7), ("2026-10", 1)]);
    }
}
