//! One decision, fully explained.

use axum::Json;

use super::body::{DecisionBody, policies_of};
use crate::auth::View;
use crate::domain::ids::DecisionId;
use crate::http::caller::Caller;
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};

/// One decision with what each rule found
#[utoipa::path(
    get, path = "/v1/decisions/{id}", operation_id = "decisions_get", tag = "decisions",
    security(("bearer" = [View::NAME])),
    params(("id" = String, Path)), responses((status = 200, body = DecisionBody))
)]
pub(in crate::http) async fn get(
    caller: Caller<View>,
    Id(id): Id<DecisionId>,
) -> ApiResult<Json<DecisionBody>> {
    let mut tx = caller.begin().await?;
    let decision = tx.decision_get(id).await?.ok_or_else(ApiError::not_found)?;
    let policies = policies_of(&mut tx, std::slice::from_ref(&decision)).await?;
    Ok(Json(DecisionBody::new(decision, &policies)))
}
