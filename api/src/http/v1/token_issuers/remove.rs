//! Accepting an issuer's tokens no more.

use axum::http::StatusCode;

use super::body::audited;
use crate::auth::ManageTokenIssuers;
use crate::domain::ids::TokenIssuerId;
use crate::http::caller::{Caller, states};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::http::v1::invitations::tell_withdrawn;

/// Accept an issuer's tokens no more
///
/// It holds from the next request on. Open invitations by bearers of its tokens are withdrawn. Nobody removes an issuer
/// whose tokens may do more than they may themselves.
#[utoipa::path(
    delete, path = "/v1/token-issuers/{id}", operation_id = "token_issuers_remove", tag = "token-issuers",
    security(("bearer" = [ManageTokenIssuers::NAME])),
    params(("id" = String, Path)), responses((status = 204))
)]
pub(in crate::http) async fn remove(
    caller: Caller<ManageTokenIssuers>,
    Id(id): Id<TokenIssuerId>,
) -> ApiResult<StatusCode> {
    let mut tx = caller.begin().await?;
    let removed = tx.token_issuer_remove(id).await?;
    let removed = removed.ok_or_else(ApiError::not_found)?;
    // A refusal leaves it as it was: nothing is committed.
    if let Some(role) = removed.highest_role()
        && !caller.principal.may_give(role, None)
    {
        let detail = format!(
            "an issuer whose tokens give the role {role} needs to be removed by somebody who has all of it"
        );
        return Err(ApiError::new(Code::Forbidden, detail));
    }
    let told = states(
        caller.change("token_issuer.remove", id),
        Some(audited(&removed)),
        None,
    );
    tx.audit_append(&told).await?;
    let withdrawn = tx.invitation_withdraw_of_issuer(id).await?;
    tell_withdrawn(&mut tx, withdrawn, |target| {
        caller.change("invitation.withdraw", target)
    })
    .await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
