//! DELETE /v1/instances/{id}/installation

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::body::{InstallationBody, audited, installation_body, version};
use crate::auth::EditInstallations;
use crate::domain::ids::InstanceId;
use crate::domain::installation::InstallationState;
use crate::domain::precondition::Precondition;
use crate::http::caller::{Caller, states};
use crate::http::etag::{etag, must_hold};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::http::query::Query;

/// Take the installation away
///
/// Every queue gets back what it ran before, then the flows are deleted and the limiter forgets the instance. A queue
/// that somebody pointed elsewhere meanwhile is left there. Where that is blocked for good, say because the roles in the
/// account are gone, `abandon=true` clears Ringfence's own side alone: the limiter forgets the instance and may not be
/// invoked by it any more, and the conditions tell what is left in it.
#[utoipa::path(
    delete,
    path = "/v1/instances/{id}/installation",
    operation_id = "installation_delete",
    tag = "installation",
    security(("bearer" = [EditInstallations::NAME])),
    extensions(("x-errors" = json!(["installation_not_blocked"]))),
    params(
        ("id" = String, Path, description = "The instance"),
        ("abandon" = Option<bool>, Query, description = "Give up what is in the instance; only where the installation is blocked"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the generation that was seen"),
    ),
    responses(
        (status = 202, body = InstallationBody, headers(("ETag" = String, description = "The generation"))),
    )
)]
pub(in crate::http) async fn delete(
    caller: Caller<EditInstallations>,
    Id(id): Id<InstanceId>,
    mut query: Query,
    expected: Precondition,
) -> ApiResult<impl IntoResponse> {
    let abandon = query.parsed("abandon", |text| text.parse().ok(), "true or false")?;
    let abandon = abandon.unwrap_or_default();
    query.finish()?;
    let mut tx = caller.begin().await?;
    let before = tx
        .installation_get_locked(id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    must_hold(&expected, version(Some(&before)))?;
    if abandon && before.state != InstallationState::Blocked {
        return Err(ApiError::new(
            Code::InstallationNotBlocked,
            "only a blocked installation can be given up; remove it without abandon first",
        ));
    }
    tx.installation_remove(id, abandon, caller.now()).await?;
    let action = if abandon {
        "installation.abandon"
    } else {
        "installation.remove"
    };
    let change = states(
        caller.change(action, id),
        audited(before.request.as_ref()),
        None,
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
