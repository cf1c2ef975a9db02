//! One webhook.

use axum::Json;

use super::body::WebhookBody;
use crate::auth::ViewWebhooks;
use crate::domain::ids::WebhookId;
use crate::http::caller::Caller;
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};

/// Read a webhook
#[utoipa::path(
    get, path = "/v1/webhooks/{id}", operation_id = "webhooks_get", tag = "webhooks",
    security(("bearer" = [ViewWebhooks::NAME])),
    security(("bearer" = [ViewWebhooks::NAME])),
    params(("id" = String, Path)), responses((status = 200, body = WebhookBody))
)]
pub(in crate::http) async fn get(
    caller: Caller<ViewWebhooks>,
    Id(id): Id<WebhookId>,
) -> ApiResult<Json<WebhookBody>> {
    let mut tx = caller.begin().await?;
    let webhook = tx.webhook_get(id).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(webhook.into()))
}
