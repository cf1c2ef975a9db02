//! Withdrawing an invitation.

use axum::http::StatusCode;

use crate::auth::ManageMembers;
use crate::domain::ids::InvitationId;
use crate::http::caller::Caller;
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};

/// Withdraw an invitation
#[utoipa::path(
    delete, path = "/v1/invitations/{id}", operation_id = "invitations_withdraw", tag = "members",
    security(("bearer" = [ManageMembers::NAME])),
    params(("id" = String, Path)), responses((status = 204))
)]
pub(in crate::http) async fn withdraw(
    caller: Caller<ManageMembers>,
    Id(id): Id<InvitationId>,
) -> ApiResult<StatusCode> {
    let mut tx = caller.begin().await?;
    if !tx.invitation_withdraw(id).await? {
        return Err(ApiError::not_found());
    }
    tx.audit_append(&caller.change("invitation.withdraw", id))
        .await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
