//! Deleting a webhook: nothing more is sent there, and its deliveries are forgotten.

use axum::http::StatusCode;

use super::body::audited;
use crate::auth::ManageWebhooks;
use crate::domain::ids::WebhookId;
use crate::http::caller::{Caller, states};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};

/// Delete a webhook
#[utoipa::path(
    delete, path = "/v1/webhooks/{id}", operation_id = "webhooks_delete", tag = "webhooks",
    security(("bearer" = [ManageWebhooks::NAME])),
    security(("bearer" = [ManageWebhooks::NAME])),
    params(("id" = String, Path)), responses((status = 204))
)]
pub(in crate::http) async fn delete(
    caller: Caller<ManageWebhooks>,
    Id(id): Id<WebhookId>,
) -> ApiResult<StatusCode> {
    let mut tx = caller.begin().await?;
    let before = tx.webhook_lock(id).await?.ok_or_else(ApiError::not_found)?;
    if !tx.webhook_delete(id).await? {
        return Err(ApiError::not_found());
    }
    let change = caller.change("webhook.delete", id);
    tx.audit_append(&states(change, Some(audited(&before)), None))
        .await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
