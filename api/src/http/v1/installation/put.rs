//! PUT /v1/instances/{id}/installation

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::body::{
    InstallationBody, InstallationRequestBody, PutInstallation, audited, installation_body, version,
};
use crate::auth::EditInstallations;
use crate::domain::ids::InstanceId;
use crate::domain::precondition::Precondition;
use crate::http::body::Body;
use crate::http::caller::{Caller, states};
use crate::http::etag::{etag, must_hold};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult, Code};

/// Ask for an installation
///
/// The workers bring the instance there; the answer shows how far it has come. Asking again mends whatever differs.
#[utoipa::path(
    put,
    path = "/v1/instances/{id}/installation",
    operation_id = "installation_put",
    tag = "installation",
    security(("bearer" = [EditInstallations::NAME])),
    extensions(("x-errors" = json!(["instance_not_verified"]))),
    params(
        ("id" = String, Path, description = "The instance"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the generation that was seen"),
    ),
    request_body = InstallationRequestBody,
    responses(
        (status = 202, body = InstallationBody, headers(("ETag" = String, description = "The generation"))),
    )
)]
pub(in crate::http) async fn put(
    caller: Caller<EditInstallations>,
    Id(id): Id<InstanceId>,
    expected: Precondition,
    Body(PutInstallation(request)): Body<PutInstallation>,
) -> ApiResult<impl IntoResponse> {
    let mut tx = caller.begin().await?;
    // Where there is no installation yet, only the instance is there to be locked: two first requests come one after
    // the other.
    tx.instance_lock(id).await?;
    let instance = tx.instance_get(id).await?.ok_or_else(ApiError::not_found)?;
    if instance.verified_at.is_none() {
        return Err(ApiError::new(
            Code::InstanceNotVerified,
            "verify the instance first",
        ));
    }
    let before = tx.installation_get_locked(id).await?;
    must_hold(&expected, version(before.as_ref()))?;
    tx.installation_put(id, &request, caller.now()).await?;
    let change = states(
        caller.change("installation.put", id),
        audited(before.and_then(|before| before.request).as_ref()),
        audited(Some(&request)),
    );
    tx.audit_append(&change).await?;
    let installation = tx
        .installation_get(id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let tag = etag(version(Some(&installation)));
    let body = installation_body(
        &mut tx,
        installation,
        caller.app.settings.connect_requests_per_second,
    )
    .await?;
    tx.commit().await?;
    caller.app.wake_ups.installations.wake();
    Ok((StatusCode::ACCEPTED, tag, Json(body)))
}
