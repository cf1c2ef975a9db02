//! One connection.

use axum::Json;

use super::body::ConnectionBody;
use super::onboarding::Onboarding;
use crate::auth::{ManageInstances, Permission as _, View};
use crate::domain::ids::ConnectionId;
use crate::http::caller::Caller;
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};

/// Read a connection
///
/// With how its stack is to be deployed now, for those who may manage instances.
#[utoipa::path(
    get, path = "/v1/connections/{id}", operation_id = "connections_get", tag = "connections",
    security(("bearer" = [View::NAME])),
    params(("id" = String, Path)), responses((status = 200, body = ConnectionBody))
)]
pub(in crate::http) async fn get(
    caller: Caller<View>,
    Id(id): Id<ConnectionId>,
) -> ApiResult<Json<ConnectionBody>> {
    let mut tx = caller.begin().await?;
    let view = tx
        .connection_view_get(id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let onboarding = Onboarding::of(&caller.app, &view.region, &view.connection);
    let connection = ConnectionBody::from(view);
    // The external id is of no use to those who only look.
    let may_manage = caller.principal.role >= ManageInstances::LEAST;
    Ok(Json(if may_manage {
        connection.with_onboarding(onboarding)
    } else {
        connection
    }))
}
