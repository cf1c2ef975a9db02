//! Withdrawing an invitation.

use axum::http::StatusCode;

use super::body::audited;
use crate::auth::ManageMembers;
use crate::domain::ids::InvitationId;
use crate::http::caller::{Caller, states};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::store::{Change, Invitation, TenantTx};

/// Withdraw an invitation
///
/// Nobody withdraws an invitation to more than they have.
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
    // A refusal leaves it as it was: nothing is committed.
    if !caller.principal.may_give(withdrawn.role, None) {
        let detail = format!(
            "an invitation to the role {} needs to be withdrawn by somebody who has all of it",
            withdrawn.role
        );
        return Err(ApiError::new(Code::Forbidden, detail));
    }
    let told = states(
        caller.change("invitation.withdraw", id),
        Some(audited(&withdrawn)),
        None,
    );
    tx.audit_append(&told).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The audit rows of what was on offer from somebody who has fewer rights now, or none.
pub(in crate::http::v1) async fn tell_withdrawn(
    tx: &mut TenantTx,
    withdrawn: Vec<Invitation>,
    change: impl Fn(InvitationId) -> Change,
) -> ApiResult<()> {
    for invitation in withdrawn {
        let change = change(invitation.id);
        tx.audit_append(&states(change, Some(audited(&invitation)), None))
            .await?;
    }
    Ok(())
}
