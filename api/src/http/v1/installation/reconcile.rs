//! POST /v1/instances/{id}/installation/reconcile

use axum::http::StatusCode;

use super::body::{InstallationBody, installation_body, version};
use crate::auth::EditInstallations;
use crate::domain::ids::InstanceId;
use crate::domain::installation::InstallationState;
use crate::http::caller::Caller;
use crate::http::once::OnceResult;
use crate::http::path::Id;
use crate::http::problem::{ApiError, Code};

/// Look at an installation now
///
/// Compares the instance with what was asked for, and checks the roles, at once instead of within the period. What is
/// asked for stays as it is: what differs is mended or only reported, as the installation's `drift` says.
#[utoipa::path(
    post,
    path = "/v1/instances/{id}/installation/reconcile",
    operation_id = "installation_reconcile",
    tag = "installation",
    security(("bearer" = [EditInstallations::NAME])),
    extensions(("x-errors" = json!(["conflict"]))),
    params(("id" = String, Path, description = "The instance")),
    responses(
        (status = 202, body = InstallationBody, headers(("ETag" = String, description = "The generation"))),
    )
)]
pub(in crate::http) async fn reconcile(
    caller: Caller<EditInstallations>,
    Id(id): Id<InstanceId>,
) -> OnceResult {
    let mut tx = caller.begin_once().await?;
    let installation = tx
        .installation_get_locked(id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    if installation.state == InstallationState::Uninstalled {
        return Err(ApiError::new(
            Code::Conflict,
            "the installation was taken away: there is nothing to look at",
        )
        .into());
    }
    let now = caller.now();
    tx.installation_look_now(Some(id), now).await?;
    tx.instance_check_at(id, now).await?;
    tx.audit_append(&caller.change("installation.reconcile", id))
        .await?;
    let version = version(Some(&installation));
    let body = installation_body(
        &mut tx,
        installation,
        caller.app.settings.connect_requests_per_second,
    )
    .await?;
    let answer = tx
        .answer_version(StatusCode::ACCEPTED, version, &body)
        .await?;
    caller.app.wake_ups.installations.wake();
    caller.app.wake_ups.checks.wake();
    Ok(answer)
}
