//! A tenant's webhooks.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::WebhookBody;
use crate::auth::ViewWebhooks;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;
use crate::http::query::{Query, page};
use crate::store::Webhook;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WebhookList {
    data: Vec<WebhookBody>,
    #[schema(example = "MTc2NDA3MjAwMDAwMDAwMA")]
    next_cursor: Option<String>,
}

/// List webhooks, oldest first
#[utoipa::path(
    get, path = "/v1/webhooks", operation_id = "webhooks_list", tag = "webhooks",
    security(("bearer" = [ViewWebhooks::NAME])),
    security(("bearer" = [ViewWebhooks::NAME])),
    params(("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = WebhookList))
)]
pub(in crate::http) async fn list(
    caller: Caller<ViewWebhooks>,
    mut query: Query,
) -> ApiResult<Json<WebhookList>> {
    let limit = query.limit()?;
    let after = query.cursor(|text| text.parse().ok())?;
    query.finish()?;
    let mut tx = caller.begin().await?;
    let webhooks = tx.webhook_list(after, limit + 1).await?;
    let list = page(
        webhooks,
        limit,
        |webhook: &Webhook| webhook.id.to_string(),
        WebhookBody::from,
    );
    Ok(Json(WebhookList {
        data: list.data,
        next_cursor: list.next_cursor,
    }))
}
