//! One instance.

use axum::Json;

use super::body::Instance;
use crate::auth::{ManageInstances, Permission as _, View};
use crate::domain::ids::InstanceId;
use crate::http::caller::Caller;
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::v1::connections::Onboarding;

/// Read an instance
///
/// With how to deploy its stack, for those who may manage instances.
#[utoipa::path(
    get, path = "/v1/instances/{id}", operation_id = "instances_get", tag = "instances",
    security(("bearer" = [View::NAME])),
    params(("id" = String, Path)), responses((status = 200, body = Instance))
)]
pub(in crate::http) async fn get(
    caller: Caller<View>,
    Id(id): Id<InstanceId>,
) -> ApiResult<Json<Instance>> {
    let mut tx = caller.begin().await?;
    let view = tx
        .instance_view_get(id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let onboarding = Onboarding::of(&caller.app, view.instance.arn.region(), &view.connection);
    let instance = Instance::try_from(view)?;
    // The external id is of no use to those who only look.
    let may_manage = caller.principal.role >= ManageInstances::LEAST;
    Ok(Json(if may_manage {
        instance.with_onboarding(onboarding)
    } else {
        instance
    }))
}
