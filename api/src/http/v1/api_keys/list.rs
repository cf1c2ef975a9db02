//! A tenant's keys, without the keys themselves.

use axum::Json;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::create::RoleBody;
use crate::auth::ViewKeys;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;
use crate::http::query::{Query, page};
use crate::store::ApiKey;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct ApiKeyBody {
    #[schema(example = "key_01890a5d000070008000000000000000")]
    id: String,
    #[schema(example = "Dialler")]
    name: String,
    role: RoleBody,
    /// The permissions out of the role that the key is narrowed to; null: all of them.
    #[schema(example = json!(["tenant:view", "numbers:edit"]))]
    scopes: Option<Vec<String>>,
    /// How the key begins.
    #[schema(example = "rf_live_3kVq9Z")]
    prefix: String,
    /// Until when the secret before the last rotation works as well.
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_until: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

impl From<ApiKey> for ApiKeyBody {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name,
            role: key.role.into(),
            scopes: key.scopes,
            prefix: key.prefix,
            previous_until: key.previous_until,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApiKeyList {
    data: Vec<ApiKeyBody>,
    #[schema(example = "MTc2NDA3MjAwMDAwMDAwMA")]
    next_cursor: Option<String>,
}

/// List keys, oldest first; revoked ones are left out
#[utoipa::path(
    get, path = "/v1/api-keys", operation_id = "api_keys_list", tag = "api-keys",
    security(("bearer" = [ViewKeys::NAME])),
    params(("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = ApiKeyList))
)]
pub(in crate::http) async fn list(
    caller: Caller<ViewKeys>,
    mut query: Query,
) -> ApiResult<Json<ApiKeyList>> {
    let limit = query.limit()?;
    let after = query.cursor(|text| text.parse().ok())?;
    query.finish()?;
    let mut tx = caller.begin().await?;
    let keys = tx.api_key_list(after, limit + 1).await?;
    let list = page(
        keys,
        limit,
        |key: &ApiKey| key.id.to_string(),
        ApiKeyBody::from,
    );
    Ok(Json(ApiKeyList {
        data: list.data,
        next_cursor: list.next_cursor,
    }))
}
