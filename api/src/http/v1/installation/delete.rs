//! DELETE /v1/instances/{id}/installation

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::body::{InstallationBody, audited, installation_body, version};
use crate::auth::EditInstallations;
use crate::domain::ids::InstanceId;
use crate::http::caller::{Caller, states};
use crate::http::etag::{IfMatch, etag};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};

/// Take the installation away
///
/// Every queue gets back what it ran before, then the flows are deleted and the limiter forgets the instance. A queue
/// that somebody pointed elsewhere meanwhile is left there.
#[utoipa::path(
    delete,
    path = "/v1/instances/{id}/installation",
    operation_id = "installation_delete",
    tag = "installation",
    security(("bearer" = [EditInstallations::NAME])),
    params(
        ("id" = String, Path, description = "The instance"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the generation that was seen"),
    ),
    responses(
        (status = 202, body = InstallationBody, headers(("ETag" = String, description = "The generation"))),
    )
)]
pub(in crate::http) async fn delete(
    caller: Caller<EditInstallations>,
    Id(id): Id<InstanceId>,
    if_match: IfMatch,
) -> ApiResult<impl IntoResponse> {
    let mut tx = caller.begin().await?;
    let before = tx
        .installation_get_locked(id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    if_match.check(version(Some(&before)))?;
    tx.installation_remove(id, caller.now()).await?;
    let change = states(
        caller.change("installation.remove", id),
        audited(before.request.as_ref()),
        None,
    );
    tx.audit_append(&change).await?;
    let installation = tx
        .installation_get(id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let tag = etag(version(Some(&installation)));
    let body = installation_body(&mut tx, installation).await?;
    tx.commit().await?;
    caller.app.wake_ups.installations.wake();
    Ok((StatusCode::ACCEPTED, tag, Json(body)))
}
