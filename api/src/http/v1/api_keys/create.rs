//! Making a key. The key itself is in this one answer and nowhere else.

use std::fmt;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::list::ApiKeyBody;
use crate::auth::ManageKeys;
use crate::auth::keys::NewKey;
use crate::domain::ids::ApiKeyId;
use crate::domain::quota::Quota;
use crate::domain::role::Role;
use crate::http::body::Body;
use crate::http::caller::{Caller, states};
use crate::http::fields::{Fields, FromFields};
use crate::http::once::OnceResult;
use crate::http::problem::{ApiError, ApiResult, Code, FieldFault};
use crate::http::quota::must_fit;
use crate::http::state::AppState;
use crate::store::{ApiKey, Change, NewApiKey, TenantTx};

const NAME_MAX: usize = 200;
pub(in crate::http::v1) const ROLES: &str = "owner, admin, editor, viewer";

#[derive(Debug, ToSchema)]
#[schema(as = NewApiKey)]
pub(in crate::http::v1) struct NewApiKeyBody {
    #[schema(max_length = 200)]
    name: String,
    #[schema(value_type = RoleBody)]
    role: Role,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// Each may do what the ones before it may.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Role)]
pub(in crate::http) enum RoleBody {
    Viewer,
    Editor,
    Admin,
    Owner,
}

impl From<Role> for RoleBody {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Editor => Self::Editor,
            Role::Admin => Self::Admin,
            Role::Owner => Self::Owner,
        }
    }
}

impl FromFields for NewApiKeyBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.text("name", NAME_MAX);
        let role = fields.word("role", |word| word.parse().ok(), ROLES);
        let expires_at = fields.optional_time("expires_at");
        Some(Self {
            name: name?,
            role: role?,
            expires_at,
        })
    }
}

#[derive(Serialize, ToSchema)]
pub(in crate::http::v1) struct MadeApiKey {
    #[serde(flatten)]
    shown: ApiKeyBody,
    /// The key. It is not kept and cannot be shown again.
    #[schema(example = "rf_live_…")]
    key: String,
}

impl fmt::Debug for MadeApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MadeApiKey")
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

/// Make a key
///
/// Nobody makes a key that may do more than they may themselves.
#[utoipa::path(
    post, path = "/v1/api-keys", operation_id = "api_keys_create", tag = "api-keys",
    security(("bearer" = [ManageKeys::NAME])),
    request_body = NewApiKeyBody, responses((status = 201, body = MadeApiKey))
)]
pub(in crate::http) async fn create(
    caller: Caller<ManageKeys>,
    Body(new): Body<NewApiKeyBody>,
) -> OnceResult {
    if new.role > caller.principal.role {
        let detail = format!("a key with the role {} needs to be made by one", new.role);
        return Err(ApiError::new(Code::Forbidden, detail).into());
    }
    let mut tx = caller.begin_once().await?;
    let made = make(&mut tx, &caller.app, new, |id| {
        caller.change("api_key.create", id)
    })
    .await?;
    Ok(tx.answer(StatusCode::CREATED, &made).await?)
}

pub(in crate::http::v1) async fn make(
    tx: &mut TenantTx,
    app: &AppState,
    new: NewApiKeyBody,
    change: impl FnOnce(ApiKeyId) -> Change,
) -> ApiResult<MadeApiKey> {
    let now = app.now();
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(ApiError::validation(vec![FieldFault::new(
            "/expires_at",
            "out_of_range",
            "must be in the future",
        )]));
    }
    let key = NewKey::api(&app.ids);
    let id = ApiKeyId(app.ids.uuid());
    let prefix = key.prefix();
    tx.api_key_insert(&NewApiKey {
        id,
        name: &new.name,
        role: new.role,
        prefix: &prefix,
        secret_sha256: &key.sha256(),
        created_at: now,
        expires_at: new.expires_at,
    })
    .await?;
    must_fit(tx, Quota::ApiKeys, now).await?;
    let after = json!({ "name": new.name, "role": new.role.as_str(), "prefix": prefix });
    tx.audit_append(&states(change(id), None, Some(after)))
        .await?;
    let shown = ApiKey {
        id,
        tenant_id: tx.tenant_id(),
        name: new.name,
        role: new.role,
        prefix,
        created_at: now,
        expires_at: new.expires_at,
        last_used_at: None,
    };
    Ok(MadeApiKey {
        shown: shown.into(),
        key: key.reveal().to_owned(),
    })
}
