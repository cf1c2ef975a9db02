//! Every tenant's decisions of one month, for the operator.

use axum::Json;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::caller::Operator;
use crate::http::problem::ApiResult;
use crate::http::query::{Query, page};
use crate::store::TenantUsage;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TenantUsageList {
    data: Vec<TenantUsageBody>,
    #[schema(example = "MTc2NDA3MjAwMDAwMDAwMA")]
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TenantUsage)]
pub(super) struct TenantUsageBody {
    #[schema(example = "ten_01890a5d000070008000000000000000")]
    tenant_id: String,
    #[schema(example = "Northwind Collections")]
    tenant_name: String,
    #[schema(example = 12_000)]
    decisions: i64,
}

/// Decisions of every tenant in a month
///
/// Tenants in the order of their making, those without decisions too.
#[utoipa::path(
    get, path = "/v1/usage/tenants", operation_id = "usage_tenants_list", tag = "usage",
    security(("bearer" = [Operator::NAME])),
    params(
        (
            "month" = Option<String>, Query, pattern = "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])$", example = "2026-11",
            description = "As 2026-11, in UTC; the present one if not given",
        ),
        ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, body = TenantUsageList))
)]
pub(in crate::http) async fn list(
    caller: Operator,
    mut query: Query,
) -> ApiResult<Json<TenantUsageList>> {
    let at = query.parsed("month", month, "a month, such as 2026-11")?;
    let limit = query.limit()?;
    let after = query.cursor(|text| text.parse().ok())?;
    query.finish()?;
    let at = at.unwrap_or_else(|| caller.now());
    let mut tx = caller.begin().await?;
    let usage = tx.usage_of_tenants(at, after, limit + 1).await?;
    let list = page(
        usage,
        limit,
        |usage: &TenantUsage| usage.tenant.to_string(),
        |usage| TenantUsageBody {
            tenant_id: usage.tenant.to_string(),
            tenant_name: usage.name,
            decisions: usage.decisions,
        },
    );
    Ok(Json(TenantUsageList {
        data: list.data,
        next_cursor: list.next_cursor,
    }))
}

/// Its beginning. Only years that everybody's calendar has.
fn month(text: &str) -> Option<Timestamp> {
    let (year, month) = text.split_once('-')?;
    if year.len() != 4 || month.len() != 2 {
        return None;
    }
    let year: i16 = year.parse().ok().filter(|year| *year >= 1970)?;
    let first = Date::new(year, month.parse().ok()?, 1).ok()?;
    TimeZone::UTC.to_timestamp(first.at(0, 0, 0, 0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_read_in_one_spelling() {
        let beginning = month("2026-02").expect("a month");
        assert_eq!(beginning.to_string(), "2026-02-01T00:00:00Z");
        for text in [
            "", "2026", "2026-13", "2026-00", "26-01", "2026-1", "+026-01", "1969-12",
        ] {
            assert_eq!(month(text), None, "{text}");
        }
    }
}
