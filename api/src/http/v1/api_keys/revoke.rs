//! Revoking a key: it stops working with the next request.

use axum::http::StatusCode;

use super::create::audited;
use crate::auth::ManageKeys;
use crate::domain::ids::ApiKeyId;
use crate::http::caller::{Caller, states};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult, Code};

/// Revoke a key
///
/// Nobody revokes a key that may do more than they may themselves.
#[utoipa::path(
    delete, path = "/v1/api-keys/{id}", operation_id = "api_keys_revoke", tag = "api-keys",
    security(("bearer" = [ManageKeys::NAME])),
    params(("id" = String, Path)), responses((status = 204))
)]
pub(in crate::http) async fn revoke(
    caller: Caller<ManageKeys>,
    Id(id): Id<ApiKeyId>,
) -> ApiResult<StatusCode> {
    let mut tx = caller.begin().await?;
    let key = tx.api_key_lock(id).await?.ok_or_else(ApiError::not_found)?;
    if !caller.principal.may_give(key.role, key.scopes.as_deref()) {
        let detail = "a key that may do more than you needs to be revoked by somebody who may";
        return Err(ApiError::new(Code::Forbidden, detail));
    }
    tx.api_key_revoke(id, caller.now()).await?;
    let before = audited(&key.name, key.role, key.scopes.as_deref(), &key.prefix);
    let told = states(caller.change("api_key.revoke", id), Some(before), None);
    tx.audit_append(&told).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
