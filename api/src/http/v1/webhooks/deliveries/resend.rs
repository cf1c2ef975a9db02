//! Sending a message once more, under the same id.

use axum::http::StatusCode;
use serde_json::json;

use super::body::{DeliveryBody, must_be_enabled};
use crate::auth::ManageWebhooks;
use crate::domain::ids::{EventId, WebhookId};
use crate::http::caller::{Caller, states};
use crate::http::once::OnceResult;
use crate::http::path::Ids;
use crate::http::problem::ApiError;

/// Send a message again
///
/// Whatever came of it before. The message keeps its id, so that a receiver that has it already can tell.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/deliveries/{event_id}/resend", operation_id = "webhook_deliveries_resend",
    tag = "webhooks",
    security(("bearer" = [ManageWebhooks::NAME])), extensions(("x-errors" = json!(["conflict"]))),
    params(("id" = String, Path), ("event_id" = String, Path)),
    responses((status = 202, body = DeliveryBody))
)]
pub(in crate::http) async fn resend(
    caller: Caller<ManageWebhooks>,
    Ids(id, event): Ids<WebhookId, EventId>,
) -> OnceResult {
    let mut tx = caller.begin_once().await?;
    let webhook = tx.webhook_lock(id).await?.ok_or_else(ApiError::not_found)?;
    if !tx.delivery_resend(id, event, caller.now()).await? {
        return Err(ApiError::not_found().into());
    }
    must_be_enabled(&webhook)?;
    let change = caller.change("webhook.resend", id);
    let after = json!({ "event_id": event.to_string() });
    tx.audit_append(&states(change, None, Some(after))).await?;
    let delivery = tx
        .delivery_get(id, event)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let answer = tx
        .answer(StatusCode::ACCEPTED, &DeliveryBody::from(delivery))
        .await?;
    caller.app.wake_ups.webhooks.wake();
    Ok(answer)
}
