//! Open invitations.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::InvitationBody;
use crate::auth::ViewInvitations;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;
use crate::http::query::{Query, page};
use crate::store::Invitation;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InvitationList {
    data: Vec<InvitationBody>,
    #[schema(example = "MTc2NDA3MjAwMDAwMDAwMA")]
    next_cursor: Option<String>,
}

/// List invitations that can still be accepted, oldest first
#[utoipa::path(
    get, path = "/v1/invitations", operation_id = "invitations_list", tag = "members",
    security(("bearer" = [ViewInvitations::NAME])),
    params(("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = InvitationList))
)]
pub(in crate::http) async fn list(
    caller: Caller<ViewInvitations>,
    mut query: Query,
) -> ApiResult<Json<InvitationList>> {
    let limit = query.limit()?;
    let after = query.cursor(|text| text.parse().ok())?;
    query.finish()?;
    let mut tx = caller.begin().await?;
    let open = tx.invitation_list(caller.now(), after, limit + 1).await?;
    let position = |one: &Invitation| one.id.to_string();
    let list = page(open, limit, position, InvitationBody::from);
    Ok(Json(InvitationList {
        data: list.data,
        next_cursor: list.next_cursor,
    }))
}
