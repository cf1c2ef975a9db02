//! One tenant.

use axum::Json;

use super::body::TenantBody;
use crate::domain::ids::TenantId;
use crate::http::caller::Operator;
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};

/// Read a tenant
#[utoipa::path(
    get, path = "/v1/tenants/{id}", operation_id = "tenants_get", tag = "tenants",
    security(("bearer" = [Operator::NAME])),
    params(("id" = String, Path)), responses((status = 200, body = TenantBody))
)]
pub(in crate::http) async fn get(
    caller: Operator,
    Id(id): Id<TenantId>,
) -> ApiResult<Json<TenantBody>> {
    let mut tx = caller.begin().await?;
    let tenant = tx.tenant_get(id).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(tenant.into()))
}
