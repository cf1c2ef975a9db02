//! An invitation as the API shows it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::http::v1::api_keys::RoleBody;
use crate::store::Invitation;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(super) struct InvitationBody {
    #[schema(example = "inv_01890a5d000070008000000000000000")]
    id: String,
    role: RoleBody,
    /// Only whoever has this address, verified by the identity provider, can accept.
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    /// As the audit log names them.
    #[schema(example = "member:mem_01890a5d000070008000000000000000")]
    invited_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<Invitation> for InvitationBody {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id.to_string(),
            role: invitation.role.into(),
            email: invitation.email,
            invited_by: invitation.invited_by,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}

/// As the audit log keeps it: without the address, which is somebody's who may never come.
pub(super) fn audited(invitation: &Invitation) -> Value {
    json!({
        "role": invitation.role.as_str(),
        "for_one_address": invitation.email.is_some(),
        "expires_at": invitation.expires_at.to_string(),
    })
}
