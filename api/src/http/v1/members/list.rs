//! The members of a tenant.

use axum::Json;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::ViewMembers;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;
use crate::http::query::{Query, page};
use crate::http::v1::api_keys::RoleBody;
use crate::store::Member;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub(super) struct MemberBody {
    #[schema(example = "mem_01890a5d000070008000000000000000")]
    id: String,
    /// As the identity provider told it at the last sign-in.
    #[schema(example = "Ada Lovelace")]
    name: Option<String>,
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    role: RoleBody,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Member> for MemberBody {
    fn from(member: Member) -> Self {
        Self {
            id: member.id.to_string(),
            name: member.name,
            email: member.email,
            role: member.role.into(),
            created_at: member.created_at,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberList {
    data: Vec<MemberBody>,
    #[schema(example = "MTc2NDA3MjAwMDAwMDAwMA")]
    next_cursor: Option<String>,
}

/// List members, in the order of their joining
#[utoipa::path(
    get, path = "/v1/members", operation_id = "members_list", tag = "members",
    security(("bearer" = [ViewMembers::NAME])),
    params(("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = MemberList))
)]
pub(in crate::http) async fn list(
    caller: Caller<ViewMembers>,
    mut query: Query,
) -> ApiResult<Json<MemberList>> {
    let limit = query.limit()?;
    let after = query.cursor(|text| text.parse().ok())?;
    query.finish()?;
    let mut tx = caller.begin().await?;
    let members = tx.member_list(after, limit + 1).await?;
    let position = |member: &Member| member.id.to_string();
    let list = page(members, limit, position, MemberBody::from);
    Ok(Json(MemberList {
        data: list.data,
        next_cursor: list.next_cursor,
    }))
}
