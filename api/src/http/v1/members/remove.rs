//! Removing a member.

use axum::http::StatusCode;
use serde_json::json;

use super::{keep_an_owner, withdraw_invitations_of, within_own_role};
use crate::auth::ManageMembers;
use crate::domain::ids::MemberId;
use crate::domain::role::Role;
use crate::http::caller::{Caller, states};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};

/// Remove a member
///
/// All sessions of the person end, and their open invitations are withdrawn. Keys that they made stay: a key belongs to
/// the tenant. Nobody removes whoever may do more than they may; the last owner stays.
#[utoipa::path(
    delete, path = "/v1/members/{id}", operation_id = "members_remove", tag = "members",
    security(("bearer" = [ManageMembers::NAME])),
    extensions(("x-errors" = json!(["last_owner"]))),
    params(("id" = String, Path)), responses((status = 204))
)]
pub(in crate::http) async fn remove(
    caller: Caller<ManageMembers>,
    Id(id): Id<MemberId>,
) -> ApiResult<StatusCode> {
    let mut tx = caller.begin_alone().await?;
    let member = tx.member_get(id).await?.ok_or_else(ApiError::not_found)?;
    within_own_role(&caller.principal, member.role)?;
    if member.role == Role::Owner {
        keep_an_owner(&mut tx).await?;
    }
    tx.member_remove(id).await?;
    let before = json!({ "role": member.role.as_str() });
    let told = states(caller.change("member.remove", id), Some(before), None);
    tx.audit_append(&told).await?;
    withdraw_invitations_of(&mut tx, id, |target| {
        caller.change("invitation.withdraw", target)
    })
    .await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
