//! A tenant's own quotas.

use axum::Json;

use super::body::QuotaList;
use crate::auth::View;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;

/// Quotas, and how much of each is taken
#[utoipa::path(
    get, path = "/v1/quotas", operation_id = "quotas_list", tag = "usage",
    security(("bearer" = [View::NAME])),
    responses((status = 200, body = QuotaList))
)]
pub(in crate::http) async fn list(caller: Caller<View>) -> ApiResult<Json<QuotaList>> {
    let mut tx = caller.begin().await?;
    let states = tx.quota_list(caller.now()).await?;
    Ok(Json(states.into()))
}
