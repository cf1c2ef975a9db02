//! All instances of the tenant.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::Instance;
use crate::auth::View;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;
use crate::http::query::{Query, page};
use crate::store::InstanceView;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InstanceList {
    data: Vec<Instance>,
    #[schema(example = "MTc2NDA3MjAwMDAwMDAwMA")]
    next_cursor: Option<String>,
}

/// List instances, in the order of their registration
#[utoipa::path(
    get, path = "/v1/instances", operation_id = "instances_list", tag = "instances",
    security(("bearer" = [View::NAME])),
    params(("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = InstanceList))
)]
pub(in crate::http) async fn list(
    caller: Caller<View>,
    mut query: Query,
) -> ApiResult<Json<InstanceList>> {
    let limit = query.limit()?;
    let after = query.cursor(|text| text.parse().ok())?;
    query.finish()?;
    let mut tx = caller.begin().await?;
    let views = tx.instance_view_list(after, limit + 1).await?;
    let list = page(
        views,
        limit,
        |view: &InstanceView| view.instance.id.to_string(),
        Instance::try_from,
    );
    let data = list.data.into_iter().collect::<ApiResult<Vec<_>>>()?;
    Ok(Json(InstanceList {
        data,
        next_cursor: list.next_cursor,
    }))
}
