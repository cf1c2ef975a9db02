//! Withdrawing an invitation.

use axum::http::StatusCode;

use super::body::audited;
use crate::auth::ManageMembers;
use crate::domain::ids::InvitationId;
use crate::http::caller::{Caller, states};
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
    let withdrawn = tx.invitation_withdraw(id).await?;
    let withdrawn = withdrawn.ok_or_else(ApiError::not_found)?;
    let told = states(
        caller.change("invitation.withdraw", id),
        Some(audited(&withdrawn)),
        None,
    );
    tx.audit_append(&told).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
