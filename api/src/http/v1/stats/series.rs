//! Decisions over time.

use std::collections::BTreeMap;

use axum::Json;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::period::period;
use crate::auth::View;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;
use crate::http::query::Query;
use crate::store::SeriesCount;

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StatsBucket {
    Minute,
    Hour,
    Day,
}

impl StatsBucket {
    fn read(word: &str) -> Option<Self> {
        match word {
            "minute" => Some(Self::Minute),
            "hour" => Some(Self::Hour),
            "day" => Some(Self::Day),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    fn length(self) -> SignedDuration {
        match self {
            Self::Minute => SignedDuration::from_mins(1),
            Self::Hour => SignedDuration::from_hours(1),
            Self::Day => SignedDuration::from_hours(24),
        }
    }

    /// So that an answer stays one that can be drawn.
    fn longest(self) -> SignedDuration {
        match self {
            Self::Minute => SignedDuration::from_hours(24),
            Self::Hour => SignedDuration::from_hours(31 * 24),
            Self::Day => SignedDuration::from_hours(400 * 24),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecisionStats {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime, example = "2026-11-25T13:00:00Z")]
    to: Timestamp,
    bucket: StatsBucket,
    #[schema(example = 12_000)]
    decisions: i64,
    /// By outcome; outcomes without any are left out.
    #[schema(example = json!({ "allowed": 11_800, "denied": 200 }))]
    by_outcome: BTreeMap<String, i64>,
    /// How long half of the decisions took at most, in milliseconds; null where there were none.
    #[schema(example = 9)]
    decided_in_p50_ms: Option<i32>,
    /// How long 99 of 100 took at most.
    #[schema(example = 31)]
    decided_in_p99_ms: Option<i32>,
    /// Oldest first, without a gap; the first and the last may reach beyond `from` and `to`, and count only what is within.
    data: Vec<StatsBucketBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DecisionStatsBucket)]
pub(super) struct StatsBucketBody {
    /// Its beginning; days are UTC's.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    #[schema(example = json!({ "allowed": 118, "denied": 2 }))]
    by_outcome: BTreeMap<String, i64>,
}

/// Decisions over time, by outcome
#[utoipa::path(
    get, path = "/v1/stats/decisions", operation_id = "stats_decisions", tag = "stats",
    security(("bearer" = [View::NAME])),
    params(
        (
            "bucket" = Option<StatsBucket>, Query,
            description = "`minute` (up to 24 hours), `hour` (up to 31 days) or `day` (up to 400 days); `hour` if not given",
        ),
        (
            "from" = Option<String>, Query, description = "From this time on; 24 hours before `to` if not given",
            format = DateTime, example = "2026-11-25T12:00:00Z",
        ),
        ("to" = Option<String>, Query, description = "Before this time; now if not given", format = DateTime, example = "2026-11-25T13:00:00Z"),
        ("instance_id" = Option<String>, Query, description = "The instance"),
    ),
    responses((status = 200, body = DecisionStats))
)]
pub(in crate::http) async fn series(
    caller: Caller<View>,
    mut query: Query,
) -> ApiResult<Json<DecisionStats>> {
    let bucket = query.parsed("bucket", StatsBucket::read, "minute, hour or day")?;
    let bucket = bucket.unwrap_or(StatsBucket::Hour);
    let period = period(&mut query, caller.now(), bucket.longest())?;
    query.finish()?;
    let _turn = caller.app.turns.count().await?;
    let mut tx = caller.begin_frozen().await?;
    let counts = tx.stats_series(&period, bucket.as_str()).await?;
    let decided_in = tx.stats_decided_in(&period).await?;
    let mut by_outcome = BTreeMap::new();
    for count in &counts {
        *by_outcome.entry(count.outcome.clone()).or_default() += count.decisions;
    }
    Ok(Json(DecisionStats {
        from: period.from,
        to: period.to,
        bucket,
        decisions: by_outcome.values().sum(),
        by_outcome,
        decided_in_p50_ms: decided_in.p50_ms,
        decided_in_p99_ms: decided_in.p99_ms,
        data: buckets(period.from, period.to, bucket, &counts),
    }))
}

/// Every bucket that the period touches, also those in which nothing was decided.
fn buckets(
    from: Timestamp,
    to: Timestamp,
    bucket: StatsBucket,
    counts: &[SeriesCount],
) -> Vec<StatsBucketBody> {
    let length = bucket.length();
    // All of them begin at whole multiples of their length since 1970 in UTC.
    let whole = from.as_second().div_euclid(length.as_secs()) * length.as_secs();
    let mut start = Timestamp::from_second(whole).unwrap_or(from);
    let mut found = Vec::new();
    while start < to {
        let of_it = counts.iter().filter(|count| count.start == start);
        found.push(StatsBucketBody {
            start,
            by_outcome: of_it
                .map(|count| (count.outcome.clone(), count.decisions))
                .collect(),
        });
        let Ok(next) = start.checked_add(length) else {
            break;
        };
        start = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_leave_no_gap_and_begin_at_whole_minutes_hours_and_days() {
        let at = |text: &str| -> Timestamp { text.parse().expect("a time") };
        let (from, to) = (at("2026-11-25T22:30:30Z"), at("2026-11-26T01:00:00Z"));
        let counts = [SeriesCount {
            start: at("2026-11-25T23:00:00Z"),
            outcome: "denied".to_owned(),
            decisions: 2,
        }];
        let starts = |bucket| -> Vec<String> {
            let found = buckets(from, to, bucket, &counts);
            found
                .iter()
                .map(|bucket| bucket.start.to_string())
                .collect()
        };
        assert_eq!(
            starts(StatsBucket::Hour),
            [
                "2026-11-25T22:00:00Z",
                "2026-11-25T23:00:00Z",
                "2026-11-26T00:00:00Z"
            ]
        );
        assert_eq!(
            starts(StatsBucket::Day),
            ["2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z"]
        );
        assert_eq!(starts(StatsBucket::Minute).len(), 150);
        let hours = buckets(from, to, StatsBucket::Hour, &counts);
        assert_eq!(
            hours[1].by_outcome,
            BTreeMap::from([("denied".to_owned(), 2)])
        );
    }
}
