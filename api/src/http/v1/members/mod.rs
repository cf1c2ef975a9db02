//! Who belongs to a tenant. Nobody changes whoever may do more than they may, gives more than they have, or leaves the
//! tenant without an owner.

mod change;
mod list;
mod remove;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Principal;
use crate::domain::ids::{InvitationId, MemberId};
use crate::domain::role::Role;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::http::state::AppState;
use crate::http::v1::invitations::tell_withdrawn;
use crate::store::{Change, TenantTx};

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(change::change, remove::remove))
}

/// Refuses to act on somebody, or to give a role, above the caller's own.
fn within_own_role(principal: &Principal, role: Role) -> ApiResult<()> {
    if principal.may_give(role, None) {
        return Ok(());
    }
    let detail = format!(
        "this needs the whole role {role}, as the member has or would have it; yours is {}",
        principal.role
    );
    Err(ApiError::new(Code::Forbidden, detail))
}

/// To be asked before an owner stops being one.
async fn keep_an_owner(tx: &mut TenantTx) -> ApiResult<()> {
    if tx.member_count_owners().await? > 1 {
        return Ok(());
    }
    Err(ApiError::new(
        Code::LastOwner,
        "this is the tenant's last owner; make another member owner first",
    ))
}

/// What somebody who has fewer rights now had invited others to is not on offer any more.
async fn withdraw_invitations_of(
    tx: &mut TenantTx,
    member: MemberId,
    change: impl Fn(InvitationId) -> Change,
) -> ApiResult<()> {
    let inviter = format!("member:{member}");
    let withdrawn = tx.invitation_withdraw_of(&inviter).await?;
    tell_withdrawn(tx, withdrawn, change).await
}
