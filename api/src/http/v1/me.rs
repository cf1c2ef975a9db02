//! Who am I.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Kind;
use crate::http::caller::AnyCaller;

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum CallerKind {
    Operator,
    ApiKey,
    Jwt,
}

#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct TenantName {
    #[schema(example = "ten_01890a5d000070008000000000000000")]
    id: String,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Me {
    kind: CallerKind,
    /// Null: an operator who named no tenant.
    tenant: Option<TenantName>,
    /// `operator`, or the role in the tenant: `owner`, `admin`, `editor`, `viewer`.
    #[schema(example = "admin")]
    role: String,
    /// The key's id or the token's subject.
    subject: String,
}

/// Who the credential belongs to
#[utoipa::path(get, path = "/v1/me", operation_id = "me_get", tag = "me",
    security(("bearer" = [AnyCaller::NAME])), responses((status = 200, body = Me)))]
pub(in crate::http) async fn get(caller: AnyCaller) -> Json<Me> {
    let principal = caller.principal;
    let kind = match principal.kind {
        Kind::OperatorKey(_) => CallerKind::Operator,
        Kind::ApiKey(_) => CallerKind::ApiKey,
        Kind::Token { .. } => CallerKind::Jwt,
    };
    let role = if principal.is_operator() {
        "operator".to_owned()
    } else {
        principal.role.to_string()
    };
    Json(Me {
        kind,
        role,
        subject: principal.subject(),
        tenant: principal.tenant.map(|tenant| TenantName {
            id: tenant.id.to_string(),
            name: tenant.name,
        }),
    })
}
