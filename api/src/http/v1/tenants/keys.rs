//! A tenant's first key, made by the operator.

use axum::http::StatusCode;

use crate::domain::ids::TenantId;
use crate::http::body::Body;
use crate::http::caller::Operator;
use crate::http::once::OnceResult;
use crate::http::path::Id;
use crate::http::problem::ApiError;
use crate::http::standing::must_be_there;
use crate::http::v1::api_keys::{MadeApiKey, NewApiKeyBody, make};

/// Make a key for a tenant
#[utoipa::path(
    post, path = "/v1/tenants/{id}/api-keys", operation_id = "tenants_api_keys_create", tag = "tenants",
    security(("bearer" = [Operator::NAME])),
    extensions(("x-errors" = json!(["tenant_deleted", "quota_exceeded"]))),
    params(("id" = String, Path)), request_body = NewApiKeyBody, responses((status = 201, body = MadeApiKey))
)]
pub(in crate::http) async fn create(
    caller: Operator,
    Id(id): Id<TenantId>,
    Body(new): Body<NewApiKeyBody>,
) -> OnceResult {
    let mut tx = caller.begin_once_in(id).await?;
    let tenant = tx.tenant_hold().await?.ok_or_else(ApiError::not_found)?;
    must_be_there(&tenant)?;
    let made = make(&mut tx, &caller.app, new, |id| {
        caller.change("api_key.create", id)
    })
    .await?;
    Ok(tx.answer(StatusCode::CREATED, &made).await?)
}
