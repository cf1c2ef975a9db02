//! Making a key. The key itself is in this one answer and nowhere else.

use std::fmt;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::list::ApiKeyBody;
use crate::auth::keys::NewKey;
use crate::auth::{ManageKeys, PERMISSIONS};
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
    #[schema(max_length = 200, example = "Dialler")]
    name: String,
    #[schema(value_type = RoleBody)]
    role: Role,
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-11-25T12:00:00Z")]
    expires_at: Option<Timestamp>,
    /// Permissions out of the role that the key is narrowed to, as each operation names its own; all if not given.
    #[schema(example = json!(["tenant:view", "numbers:edit"]))]
    scopes: Option<Vec<String>>,
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
        let scopes = scopes(fields, role);
        Some(Self {
            name: name?,
            role: role?,
            expires_at,
            scopes: scopes?,
        })
    }
}

/// A scope that the role does not hold anyway would promise what the key cannot do.
fn scopes(fields: &mut Fields, role: Option<Role>) -> Option<Option<Vec<String>>> {
    let Some(sent) = fields.take("scopes") else {
        return Some(None);
    };
    let Ok(names) = serde_json::from_value::<Vec<String>>(sent) else {
        fields.fault("scopes", "wrong_type", "must be a list of permissions");
        return None;
    };
    let mut scopes: Vec<String> = Vec::new();
    for name in names {
        let known = PERMISSIONS.iter().find(|known| known.name == name);
        let fault = match known {
            None => format!("{name:?} is no permission; each operation names its own"),
            Some(known) if role.is_some_and(|role| role < known.least) => {
                format!("{} needs the role {}", known.name, known.least)
            }
            Some(_) => {
                if !scopes.contains(&name) {
                    scopes.push(name);
                }
                continue;
            }
        };
        fields.fault("scopes", "invalid", fault);
        return None;
    }
    if scopes.is_empty() {
        let detail = "must name at least one permission; leave it out for all of the role";
        fields.fault("scopes", "out_of_range", detail);
        return None;
    }
    Some(Some(scopes))
}

#[derive(Serialize, ToSchema)]
pub(in crate::http::v1) struct MadeApiKey {
    #[serde(flatten)]
    shown: ApiKeyBody,
    /// The key. It is not kept and cannot be shown again.
    #[schema(example = "rf_live_…")]
    key: String,
}

impl MadeApiKey {
    pub(super) fn new(shown: ApiKey, secret: &NewKey) -> Self {
        Self {
            shown: shown.into(),
            key: secret.reveal().to_owned(),
        }
    }
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
/// Nobody makes a key that may do more than they may themselves, and a key that expires makes none that works for longer.
#[utoipa::path(
    post, path = "/v1/api-keys", operation_id = "api_keys_create", tag = "api-keys",
    security(("bearer" = [ManageKeys::NAME])),
    extensions(("x-errors" = json!(["quota_exceeded"]))),
    request_body = NewApiKeyBody, responses((status = 201, body = MadeApiKey))
)]
pub(in crate::http) async fn create(
    caller: Caller<ManageKeys>,
    Body(new): Body<NewApiKeyBody>,
) -> OnceResult {
    if !caller.principal.may_give(new.role, new.scopes.as_deref()) {
        let detail = format!(
            "a key with the role {} and these scopes needs to be made by somebody who may do as much",
            new.role
        );
        return Err(ApiError::new(Code::Forbidden, detail).into());
    }
    if !caller.principal.may_give_until(new.expires_at) {
        let detail = "a key that expires makes only keys that expire with it or before";
        return Err(ApiError::field("/expires_at", "out_of_range", detail).into());
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
        scopes: new.scopes.as_deref(),
        prefix: &prefix,
        secret_sha256: &key.sha256(),
        created_at: now,
        expires_at: new.expires_at,
    })
    .await?;
    must_fit(tx, Quota::ApiKeys, now).await?;
    let shown = ApiKey {
        id,
        tenant_id: tx.tenant_id(),
        name: new.name,
        role: new.role,
        scopes: new.scopes,
        prefix,
        previous_until: None,
        created_at: now,
        expires_at: new.expires_at,
        last_used_at: None,
    };
    tx.audit_append(&states(change(id), None, Some(audited(&shown))))
        .await?;
    Ok(MadeApiKey::new(shown, &key))
}

/// As the audit log keeps a key.
pub(super) fn audited(key: &ApiKey) -> Value {
    json!({
        "name": key.name,
        "role": key.role.as_str(),
        "scopes": key.scopes,
        "prefix": key.prefix,
        "expires_at": key.expires_at.map(|at| at.to_string()),
    })
}
