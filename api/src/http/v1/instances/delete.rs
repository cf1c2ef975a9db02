//! Deleting an instance in which nothing is installed.

use axum::http::StatusCode;
use serde_json::json;

use crate::auth::ManageInstances;
use crate::domain::ids::InstanceId;
use crate::domain::installation::InstallationState;
use crate::http::caller::{Caller, states};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult, Code};

/// Delete an instance, with its decisions and its own policy
#[utoipa::path(
    delete, path = "/v1/instances/{id}", operation_id = "instances_delete", tag = "instances",
    security(("bearer" = [ManageInstances::NAME])),
    extensions(("x-errors" = json!(["installation_exists"]))),
    params(("id" = String, Path)), responses((status = 204))
)]
pub(in crate::http) async fn delete(
    caller: Caller<ManageInstances>,
    Id(id): Id<InstanceId>,
) -> ApiResult<StatusCode> {
    let mut tx = caller.begin().await?;
    if !tx.instance_lock(id).await? {
        return Err(ApiError::not_found());
    }
    let instance = tx.instance_get(id).await?.ok_or_else(ApiError::not_found)?;
    let installation = tx.installation_get_locked(id).await?;
    if installation.is_some_and(|installation| installation.state != InstallationState::Uninstalled)
    {
        return Err(ApiError::new(
            Code::InstallationExists,
            "delete the installation first, and wait until it is uninstalled",
        ));
    }
    tx.instance_delete(id).await?;
    let before = json!({ "instance_arn": instance.arn.to_string(), "name": instance.name });
    tx.audit_append(&states(
        caller.change("instance.delete", id),
        Some(before),
        None,
    ))
    .await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
