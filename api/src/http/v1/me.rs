//! Who am I.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::{Kind, Principal};
use crate::domain::role::Role;
use crate::domain::tenant::Tenant;
use crate::http::caller::AnyCaller;
use crate::http::v1::api_keys::RoleBody;
use crate::store::Membership;

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum CallerKind {
    Operator,
    ApiKey,
    Jwt,
    Session,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum CallerRole {
    Operator,
    Owner,
    Admin,
    Editor,
    Viewer,
}

impl From<Role> for CallerRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Admin => Self::Admin,
            Role::Editor => Self::Editor,
            Role::Viewer => Self::Viewer,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct TenantName {
    #[schema(example = "ten_01890a5d000070008000000000000000")]
    id: String,
    #[schema(example = "Northwind Collections")]
    name: String,
}

impl From<&Tenant> for TenantName {
    fn from(tenant: &Tenant) -> Self {
        Self {
            id: tenant.id.to_string(),
            name: tenant.name.clone(),
        }
    }
}

/// A tenant that somebody is a member of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Membership)]
pub(in crate::http) struct MembershipBody {
    tenant: TenantName,
    role: RoleBody,
}

impl From<&Membership> for MembershipBody {
    fn from(membership: &Membership) -> Self {
        Self {
            tenant: (&membership.tenant).into(),
            role: membership.role.into(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Me {
    kind: CallerKind,
    /// Null: an operator, or a member of several tenants, who named none in `Ringfence-Tenant`; or a member of none.
    tenant: Option<TenantName>,
    /// `operator`, or the role in the tenant. Null without a tenant.
    role: Option<CallerRole>,
    /// The key's id, the token's subject, or the person's id.
    #[schema(example = "per_01890a5d000070008000000000000000")]
    subject: String,
    /// The member that the person is in the tenant.
    #[schema(example = "mem_01890a5d000070008000000000000000")]
    member_id: Option<String>,
    #[schema(example = "Ada Lovelace")]
    name: Option<String>,
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    /// All tenants that the person is a member of; empty for keys and tokens.
    memberships: Vec<MembershipBody>,
    /// For a browser's session: what to send as `X-CSRF-Token` with everything but GET.
    #[schema(example = "b2Zm…")]
    csrf_token: Option<String>,
}

/// Who the credential belongs to
#[utoipa::path(get, path = "/v1/me", operation_id = "me_get", tag = "me",
    security(("bearer" = [AnyCaller::NAME])), responses((status = 200, body = Me)))]
pub(in crate::http) async fn get(caller: AnyCaller) -> Json<Me> {
    let principal = &caller.principal;
    let mut me = Me {
        kind: kind(principal),
        tenant: principal.tenant.as_ref().map(TenantName::from),
        role: role(principal),
        subject: principal.subject(),
        member_id: principal.member().map(|id| id.to_string()),
        name: None,
        email: None,
        memberships: Vec::new(),
        csrf_token: caller.csrf_token,
    };
    if let Kind::Session(signed_in) = &principal.kind {
        me.name.clone_from(&signed_in.person.name);
        me.email.clone_from(&signed_in.person.email);
        me.memberships = signed_in.memberships.iter().map(Into::into).collect();
    }
    Json(me)
}

fn kind(principal: &Principal) -> CallerKind {
    match &principal.kind {
        Kind::OperatorKey(_) => CallerKind::Operator,
        Kind::ApiKey(_) => CallerKind::ApiKey,
        Kind::Token { .. } => CallerKind::Jwt,
        Kind::Session(_) => CallerKind::Session,
    }
}

fn role(principal: &Principal) -> Option<CallerRole> {
    if principal.is_operator() {
        return Some(CallerRole::Operator);
    }
    principal.tenant.as_ref()?;
    Some(principal.role.into())
}
