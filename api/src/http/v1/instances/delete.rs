//! Deleting an instance in which nothing is installed.
//!
//! Its decisions go first, some at a time, each time in a transaction of its own: there may be more of them than one statement
//! deletes in its time. What was deleted stays so where the request ends early, and the next one goes on from there.

use axum::http::StatusCode;
use serde_json::json;

use crate::auth::ManageInstances;
use crate::domain::ids::InstanceId;
use crate::domain::installation::InstallationState;
use crate::http::caller::{Caller, states};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::store::{Instance, TenantTx};

const DECISIONS_AT_ONCE: u32 = 10_000;

/// Delete an instance, with its decisions and its own policy
///
/// An instance with millions of decisions may take longer than a request: where it is answered 504, ask again until it is
/// gone. What was deleted by then stays deleted, and the instance is there until the last of it is gone.
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
    let told = |action: &'static str, instance: &Instance| {
        let before = json!({ "instance_arn": instance.arn.to_string(), "name": instance.name });
        states(caller.change(action, id), Some(before), None)
    };
    let mut is_first = true;
    loop {
        let mut tx = caller.begin().await?;
        let instance = without_installation(&mut tx, id).await?;
        let most = DECISIONS_AT_ONCE.into();
        if tx.instance_delete_decisions(id, most).await? < DECISIONS_AT_ONCE.into() {
            tx.instance_delete(id).await?;
            tx.audit_append(&told("instance.delete", &instance)).await?;
            tx.commit().await?;
            return Ok(StatusCode::NO_CONTENT);
        }
        if is_first {
            let told = told("instance.delete_decisions", &instance);
            tx.audit_append(&told).await?;
        }
        is_first = false;
        tx.commit().await?;
    }
}

/// Nobody changes the instance, installs anything or stores a decision of it before the transaction ends.
async fn without_installation(tx: &mut TenantTx, id: InstanceId) -> ApiResult<Instance> {
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
    Ok(instance)
}
