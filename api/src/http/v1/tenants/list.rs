//! All tenants.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::TenantBody;
use crate::domain::tenant::Tenant;
use crate::http::caller::Operator;
use crate::http::problem::ApiResult;
use crate::http::query::{Query, page};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TenantList {
    data: Vec<TenantBody>,
    #[schema(example = "MTc2NDA3MjAwMDAwMDAwMA")]
    next_cursor: Option<String>,
}

/// List tenants, oldest first
#[utoipa::path(
    get, path = "/v1/tenants", operation_id = "tenants_list", tag = "tenants",
    security(("bearer" = [Operator::NAME])),
    params(("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = TenantList))
)]
pub(in crate::http) async fn list(
    caller: Operator,
    mut query: Query,
) -> ApiResult<Json<TenantList>> {
    let limit = query.limit()?;
    let after = query.cursor(|text| text.parse().ok())?;
    query.finish()?;
    let mut tx = caller.begin().await?;
    let tenants = tx.tenant_list(after, limit + 1).await?;
    let list = page(
        tenants,
        limit,
        |tenant: &Tenant| tenant.id.to_string(),
        TenantBody::from,
    );
    Ok(Json(TenantList {
        data: list.data,
        next_cursor: list.next_cursor,
    }))
}
