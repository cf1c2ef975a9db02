//! Revoking a key: it stops working with the next request.

use axum::http::StatusCode;

use crate::auth::ManageKeys;
use crate::domain::ids::ApiKeyId;
use crate::http::caller::Caller;
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};

/// Revoke a key
#[utoipa::path(
    delete, path = "/v1/api-keys/{id}", operation_id = "api_keys_revoke", tag = "api-keys",
    params(("id" = String, Path)), responses((status = 204))
)]
pub(in crate::http) async fn revoke(
    caller: Caller<ManageKeys>,
    Id(id): Id<ApiKeyId>,
) -> ApiResult<StatusCode> {
    let mut tx = caller.begin().await?;
    if !tx.api_key_revoke(id, caller.now()).await? {
        return Err(ApiError::not_found());
    }
    tx.audit_append(&caller.change("api_key.revoke", id))
        .await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
