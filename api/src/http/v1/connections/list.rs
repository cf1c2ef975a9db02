//! All connections of the tenant.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::ConnectionBody;
use crate::auth::View;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;
use crate::http::query::{Query, page};
use crate::store::ConnectionView;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectionList {
    data: Vec<ConnectionBody>,
    #[schema(example = "MTc2NDA3MjAwMDAwMDAwMA")]
    next_cursor: Option<String>,
}

/// List connections, oldest first
#[utoipa::path(
    get, path = "/v1/connections", operation_id = "connections_list", tag = "connections",
    security(("bearer" = [View::NAME])),
    params(("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = ConnectionList))
)]
pub(in crate::http) async fn list(
    caller: Caller<View>,
    mut query: Query,
) -> ApiResult<Json<ConnectionList>> {
    let limit = query.limit()?;
    let after = query.cursor(|text| text.parse().ok())?;
    query.finish()?;
    let mut tx = caller.begin().await?;
    let views = tx.connection_view_list(after, limit + 1).await?;
    let list = page(
        views,
        limit,
        |view: &ConnectionView| view.connection.id.to_string(),
        ConnectionBody::from,
    );
    Ok(Json(ConnectionList {
        data: list.data,
        next_cursor: list.next_cursor,
    }))
}
