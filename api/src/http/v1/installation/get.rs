//! GET /v1/instances/{id}/installation

use axum::Json;
use axum::response::IntoResponse;

use super::body::{InstallationBody, installation_body, version};
use crate::auth::View;
use crate::domain::ids::InstanceId;
use crate::http::caller::Caller;
use crate::http::etag::etag;
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};

/// How far the installation has come
///
/// Conditions tell what is true now and what to do about what is not; steps tell what is being done.
#[utoipa::path(
    get,
    path = "/v1/instances/{id}/installation",
    operation_id = "installation_get",
    tag = "installation",
    security(("bearer" = [View::NAME])),
    params(("id" = String, Path, description = "The instance")),
    responses(
        (status = 200, body = InstallationBody, headers(("ETag" = String, description = "The generation"))),
    )
)]
pub(in crate::http) async fn get(
    caller: Caller<View>,
    Id(id): Id<InstanceId>,
) -> ApiResult<impl IntoResponse> {
    let mut tx = caller.begin().await?;
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
    Ok((tag, Json(body)))
}
