//! Inviting somebody.

use std::fmt;

use axum::http::StatusCode;
use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::{InvitationBody, audited};
use crate::auth::ManageMembers;
use crate::auth::keys::NewKey;
use crate::domain::ids::InvitationId;
use crate::domain::role::Role;
use crate::http::body::Body;
use crate::http::caller::{Caller, states};
use crate::http::fields::{Fields, FromFields};
use crate::http::once::OnceResult;
use crate::http::problem::{ApiError, Code};
use crate::http::v1::api_keys::{ROLES, RoleBody};
use crate::store::Invitation;

const OPEN_FOR_DAYS: i64 = 7;
const OPEN_FOR_DAYS_MAX: i64 = 30;
const EMAIL_MAX: usize = 254;

#[derive(Debug, ToSchema)]
pub(super) struct NewInvitation {
    #[schema(value_type = RoleBody)]
    role: Role,
    /// If given, only whoever has this address, verified by the identity provider, can accept.
    #[schema(max_length = 254, example = "ada@example.com")]
    email: Option<String>,
    /// How long it can be accepted; 7 days if not given.
    #[schema(value_type = Option<i64>, required = false, minimum = 1, maximum = 30, example = 7)]
    expires_in_days: i64,
}

impl FromFields for NewInvitation {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let role = fields.word("role", |word| word.parse().ok(), ROLES);
        let email = fields.optional_text("email", EMAIL_MAX);
        if email
            .as_ref()
            .is_some_and(|email| !looks_like_address(email))
        {
            fields.fault(
                "email",
                "invalid",
                "must be a mail address, as ada@example.com",
            );
        }
        let days = fields.optional_whole("expires_in_days", 1..=OPEN_FOR_DAYS_MAX);
        Some(Self {
            role: role?,
            email,
            expires_in_days: days.unwrap_or(OPEN_FOR_DAYS),
        })
    }
}

/// No more than a check for slips: it is compared, never written to.
fn looks_like_address(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
        && !text.contains(char::is_whitespace)
}

#[derive(Serialize, ToSchema)]
pub(super) struct MadeInvitation {
    #[serde(flatten)]
    shown: InvitationBody,
    /// To be passed on to whoever is invited. It is not kept and cannot be shown again.
    #[schema(example = "https://ringfence.example/accept-invitation#rf_inv_…")]
    link: String,
}

impl fmt::Debug for MadeInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MadeInvitation")
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

/// Invite somebody
///
/// Nobody invites to more than they have, and a key that expires invites nobody: a member stays.
#[utoipa::path(
    post, path = "/v1/invitations", operation_id = "invitations_create", tag = "members",
    security(("bearer" = [ManageMembers::NAME])),
    request_body = NewInvitation, responses((status = 201, body = MadeInvitation))
)]
pub(in crate::http) async fn create(
    caller: Caller<ManageMembers>,
    Body(new): Body<NewInvitation>,
) -> OnceResult {
    if !caller.principal.may_give(new.role, None) {
        let detail = format!(
            "an invitation to the role {} needs to be made by one",
            new.role
        );
        return Err(ApiError::new(Code::Forbidden, detail).into());
    }
    if !caller.principal.may_give_until(None) {
        let detail = "a key that expires invites nobody, for members stay; use one that does not";
        return Err(ApiError::new(Code::Forbidden, detail).into());
    }
    let (app, now) = (&caller.app, caller.now());
    let lasts = SignedDuration::from_hours(24 * new.expires_in_days);
    let token = NewKey::invitation(&app.ids);
    let invitation = Invitation {
        id: InvitationId(app.ids.uuid()),
        tenant_id: caller.tenant.id,
        role: new.role,
        email: new.email,
        invited_by: caller.principal.actor(),
        created_at: now,
        expires_at: now.checked_add(lasts).unwrap_or(now),
    };
    let mut link = app.public_url.clone();
    link.set_path("/accept-invitation");
    link.set_fragment(Some(token.reveal()));
    let told = states(
        caller.change("invitation.create", invitation.id),
        None,
        Some(audited(&invitation)),
    );
    let mut tx = caller.begin_once().await?;
    // Whoever takes the key or the issuer away waits, and finds the invitation.
    let held = caller.principal.hold_credential(&mut tx, now).await;
    held.map_err(ApiError::from)?;
    tx.invitation_sweep(now).await?;
    tx.invitation_insert(&invitation, &token.sha256()).await?;
    tx.audit_append(&told).await?;
    let made = MadeInvitation {
        shown: invitation.into(),
        link: link.into(),
    };
    Ok(tx.answer(StatusCode::CREATED, &made).await?)
}
