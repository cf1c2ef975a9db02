//! Revoking a key: it stops working with the next request.

use axum::http::StatusCode;

use super::create::audited;
use crate::auth::ManageKeys;
use crate::domain::ids::ApiKeyId;
use crate::http::caller::{Caller, states};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::http::v1::invitations::tell_withdrawn;

/// Revoke a key
///
/// Nobody revokes a key that may do more than they may themselves. Its open invitations are withdrawn; other keys and token
/// issuers that it made stay, for they belong to the tenant.
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
    let change = caller.change("api_key.revoke", id);
    tx.audit_append(&states(change, Some(audited(&key)), None))
        .await?;
    let inviter = format!("api_key:{id}");
    let withdrawn = tx.invitation_withdraw_of(&inviter).await?;
    tell_withdrawn(&mut tx, withdrawn, |target| {
        caller.change("invitation.withdraw", target)
    })
    .await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
