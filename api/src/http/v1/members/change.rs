//! Giving a member another role.

use axum::Json;
use serde_json::json;
use utoipa::ToSchema;

use super::list::MemberBody;
use super::{keep_an_owner, withdraw_invitations_of, within_own_role};
use crate::auth::ManageMembers;
use crate::domain::ids::MemberId;
use crate::domain::role::Role;
use crate::http::body::Body;
use crate::http::caller::{Caller, states};
use crate::http::fields::{Fields, FromFields};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::http::v1::api_keys::{ROLES, RoleBody};

#[derive(Debug, ToSchema)]
pub(super) struct MemberChange {
    #[schema(value_type = RoleBody)]
    role: Role,
}

impl FromFields for MemberChange {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let role = fields.word("role", |word| word.parse().ok(), ROLES)?;
        Some(Self { role })
    }
}

/// Change a member's role
///
/// Nobody gives more than they have, or changes whoever may do more; the last owner stays owner. Whoever is given less
/// has their open invitations withdrawn. A key that expires gives nobody a higher role.
#[utoipa::path(
    patch, path = "/v1/members/{id}", operation_id = "members_change", tag = "members",
    security(("bearer" = [ManageMembers::NAME])),
    extensions(("x-errors" = json!(["last_owner"]))),
    params(("id" = String, Path)), request_body = MemberChange, responses((status = 200, body = MemberBody))
)]
pub(in crate::http) async fn change(
    caller: Caller<ManageMembers>,
    Id(id): Id<MemberId>,
    Body(wanted): Body<MemberChange>,
) -> ApiResult<Json<MemberBody>> {
    let mut tx = caller.begin_alone().await?;
    let mut member = tx.member_get(id).await?.ok_or_else(ApiError::not_found)?;
    let before = member.role;
    within_own_role(&caller.principal, before.max(wanted.role))?;
    if wanted.role > before && !caller.principal.may_give_until(None) {
        let detail = "a key that expires raises nobody, for the role stays; use one that does not";
        return Err(ApiError::new(Code::Forbidden, detail));
    }
    if before == wanted.role {
        return Ok(Json(member.into()));
    }
    if before == Role::Owner {
        keep_an_owner(&mut tx).await?;
    }
    member.role = wanted.role;
    tx.member_set_role(id, wanted.role).await?;
    let told = states(
        caller.change("member.change_role", id),
        Some(json!({ "role": before.as_str() })),
        Some(json!({ "role": wanted.role.as_str() })),
    );
    tx.audit_append(&told).await?;
    if wanted.role < before {
        withdraw_invitations_of(&mut tx, id, |target| {
            caller.change("invitation.withdraw", target)
        })
        .await?;
    }
    tx.commit().await?;
    Ok(Json(member.into()))
}
