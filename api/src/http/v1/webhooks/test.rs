//! Trying a webhook out: an event of its own, delivered like any other.

use axum::http::StatusCode;
use serde_json::json;

use super::deliveries::{DeliveryBody, must_be_enabled};
use crate::auth::ManageWebhooks;
use crate::domain::ids::{EventId, WebhookId};
use crate::domain::webhook::EventKind;
use crate::http::caller::{Caller, states};
use crate::http::once::OnceResult;
use crate::http::path::Id;
use crate::http::problem::ApiError;
use crate::store::NewEvent;

/// Send a test message
///
/// It is on its way when this is answered; what came of it is among the deliveries.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/test", operation_id = "webhooks_test", tag = "webhooks",
    security(("bearer" = [ManageWebhooks::NAME])),
    extensions(("x-errors" = json!(["conflict"]))),
    security(("bearer" = [ManageWebhooks::NAME])),
    params(("id" = String, Path)), responses((status = 202, body = DeliveryBody))
)]
pub(in crate::http) async fn test(
    caller: Caller<ManageWebhooks>,
    Id(id): Id<WebhookId>,
) -> OnceResult {
    let event = EventId(caller.app.ids.uuid());
    let mut tx = caller.begin_once().await?;
    let webhook = tx.webhook_lock(id).await?.ok_or_else(ApiError::not_found)?;
    must_be_enabled(&webhook)?;
    tx.event_put_for(
        id,
        &NewEvent {
            id: event,
            kind: EventKind::WebhookTest,
            subject: &event.to_string(),
            at: caller.now(),
            data: json!({ "webhook_id": id.to_string() }),
        },
    )
    .await?;
    let change = caller.change("webhook.test", id);
    let after = json!({ "event_id": event.to_string() });
    tx.audit_append(&states(change, None, Some(after))).await?;
    let delivery = tx
        .delivery_get(id, event)
        .await?
        .ok_or_else(|| ApiError::internal("a test event without a delivery"))?;
    let answer = tx
        .answer(StatusCode::ACCEPTED, &DeliveryBody::from(delivery))
        .await?;
    caller.app.wake_ups.webhooks.wake();
    Ok(answer)
}
