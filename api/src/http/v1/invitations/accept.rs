//! Accepting an invitation. Whose it is, is known only once it has been found, so a system transaction finds it.

use std::fmt;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::auth::keys::sha256;
use crate::domain::ids::MemberId;
use crate::domain::tenant::{Tenant, TenantStatus};
use crate::http::body::Body;
use crate::http::caller::{Somebody, states};
use crate::http::fields::{Fields, FromFields};
use crate::http::once::OnceResult;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::http::v1::api_keys::RoleBody;
use crate::http::v1::me::TenantName;
use crate::store::{Invitation, Person};

const REASON: &str = "whose invitation a token is, is known only once it has been found";
const TOKEN_MAX: usize = 100;

#[derive(ToSchema)]
pub(super) struct InvitationToken {
    /// What stands behind the `#` of the link.
    #[schema(example = "rf_inv_…", max_length = 100)]
    token: String,
}

impl fmt::Debug for InvitationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvitationToken").finish_non_exhaustive()
    }
}

impl FromFields for InvitationToken {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.text("token", TOKEN_MAX)?;
        Some(Self { token })
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NewMembership {
    tenant: TenantName,
    role: RoleBody,
    #[schema(example = "mem_01890a5d000070008000000000000000")]
    member_id: String,
}

/// Accept an invitation
///
/// For a person who is signed in. A token that was used, was withdrawn or has expired is answered like one that never was.
#[utoipa::path(
    post, path = "/v1/invitations/accept", operation_id = "invitations_accept", tag = "members",
    security(("bearer" = [Somebody::NAME])),
    extensions(("x-errors" = json!(["member_already", "not_found"]))),
    request_body = InvitationToken, responses((status = 200, body = NewMembership))
)]
pub(in crate::http) async fn accept(
    caller: Somebody,
    Body(sent): Body<InvitationToken>,
) -> OnceResult {
    let now = caller.now();
    let person = &caller.signed_in.person;
    let mut tx = caller.begin_once(REASON).await?;
    let token = sha256(&sent.token);
    // Before the invitation, as whoever withdraws it locks them, so that neither waits for the other for ever.
    let tenant = tx.invitation_tenant(&token).await?.ok_or_else(gone)?;
    let tenant = tx.tenant_hold(tenant).await?.ok_or_else(gone)?;
    // Refusals below leave the invitation as it was: nothing is committed.
    let taken = tx.invitation_take(&token, now).await?;
    let invitation = taken.ok_or_else(gone)?;
    may_join(&tenant, &invitation, person)?;
    let member = MemberId(caller.app.ids.uuid());
    if !tx
        .member_insert(tenant.id, member, person, invitation.role, now)
        .await?
    {
        return Err(ApiError::new(
            Code::MemberAlready,
            "you are a member of this tenant already; the invitation is still open for somebody else",
        )
        .into());
    }
    let after =
        json!({ "role": invitation.role.as_str(), "invitation": invitation.id.to_string() });
    let told = states(caller.change("member.join", member), None, Some(after));
    tx.audit_append(Some(tenant.id), &told).await?;
    let joined = NewMembership {
        tenant: (&tenant).into(),
        role: invitation.role.into(),
        member_id: member.to_string(),
    };
    Ok(tx.answer(StatusCode::OK, &joined).await?)
}

fn gone() -> ApiError {
    ApiError::new(
        Code::NotFound,
        "there is no such invitation any more: it was used or withdrawn, or has expired",
    )
}

fn may_join(tenant: &Tenant, invitation: &Invitation, person: &Person) -> ApiResult<()> {
    match tenant.status {
        TenantStatus::Active => {}
        TenantStatus::Suspended => {
            let detail = "the tenant is suspended: nobody can join it now";
            return Err(ApiError::new(Code::Forbidden, detail));
        }
        TenantStatus::Deleting | TenantStatus::Deleted => return Err(gone()),
    }
    let Some(wanted) = &invitation.email else {
        return Ok(());
    };
    let has = person.email.as_deref().unwrap_or_default();
    if person.email_verified && has.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(ApiError::new(
        Code::Forbidden,
        "the invitation is for somebody with another mail address; sign in as them, with an address that your identity \
         provider has verified",
    ))
}
