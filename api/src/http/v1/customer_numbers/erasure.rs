//! An erasure, as it is shown.

use axum::Json;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::View;
use crate::domain::ids::NumberErasureId;
use crate::domain::number_erasure::Kept;
use crate::http::caller::Caller;
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};
use crate::store::NumberErasure;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NumberErasure)]
pub(super) struct NumberErasureBody {
    #[schema(example = "era_01890a5d000070008000000000000000")]
    id: String,
    /// Masked: the number itself is erased here too.
    #[schema(example = "+12•••••••00")]
    number: String,
    state: NumberErasureState,
    /// Calls up to then are erased.
    #[schema(value_type = String, format = DateTime)]
    requested_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    erased_at: Option<Timestamp>,
    /// Decisions that lost the number so far.
    #[schema(example = 12)]
    decisions: i64,
    /// Meters that were deleted so far.
    #[schema(example = 2)]
    meters: i64,
    /// What stays, and holds the number.
    kept: Vec<KeptData>,
    /// What keeps it from going on; it is tried again.
    #[schema(example = json!(null))]
    problem: Option<NumberErasureProblem>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum NumberErasureState {
    /// A worker is at it, or about to. It takes a minute at least, so that calls that were under way are over.
    Erasing,
    Erased,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum NumberErasureProblem {
    AwsUnavailable,
}

/// `audit_log`: what it says of listing the number. `listing`: its entry among the exemptions or blocks; ask with
/// `listing=remove` to take it off. `removed_listing`: that it was taken off, for 40 days. `caller_id_meters`: it is a caller id
/// too, and other customers' limits hang on what is counted per caller id. `attribute_meters`: rules count per customer and
/// contact attribute; attributes are not on record, so these meters cannot be named. Meters expire by themselves, a day after
/// their rule has forgotten the last call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum KeptData {
    AuditLog,
    Listing,
    RemovedListing,
    CallerIdMeters,
    AttributeMeters,
}

impl From<Kept> for KeptData {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::AuditLog => Self::AuditLog,
            Kept::Listing => Self::Listing,
            Kept::RemovedListing => Self::RemovedListing,
            Kept::CallerIdMeters => Self::CallerIdMeters,
            Kept::AttributeMeters => Self::AttributeMeters,
        }
    }
}

impl From<NumberErasure> for NumberErasureBody {
    fn from(erasure: NumberErasure) -> Self {
        Self {
            id: erasure.id.to_string(),
            number: erasure.masked,
            state: match erasure.erased_at {
                Some(_) => NumberErasureState::Erased,
                None => NumberErasureState::Erasing,
            },
            requested_at: erasure.asked_at,
            erased_at: erasure.erased_at,
            decisions: erasure.decisions,
            meters: erasure.meters,
            kept: erasure.kept.into_iter().map(KeptData::from).collect(),
            problem: erasure.error.map(|_| NumberErasureProblem::AwsUnavailable),
        }
    }
}

/// How far an erasure is
///
/// It is shown for as long as the tenant is there, with the number masked.
#[utoipa::path(
    get, path = "/v1/number-erasures/{id}", operation_id = "number_erasures_get", tag = "checks",
    security(("bearer" = [View::NAME])),
    params(("id" = String, Path)), responses((status = 200, body = NumberErasureBody))
)]
pub(in crate::http) async fn get(
    caller: Caller<View>,
    Id(id): Id<NumberErasureId>,
) -> ApiResult<Json<NumberErasureBody>> {
    let mut tx = caller.begin().await?;
    let erasure = tx.number_erasure_get(id).await?;
    let erasure = erasure.ok_or_else(ApiError::not_found)?;
    Ok(Json(erasure.into()))
}
