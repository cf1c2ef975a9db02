//! One delivery with its message and every attempt.

use axum::Json;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::body::DeliveryBody;
use crate::auth::ViewWebhooks;
use crate::background::webhooks::body;
use crate::domain::ids::{EventId, WebhookId};
use crate::http::caller::Caller;
use crate::http::path::Ids;
use crate::http::problem::{ApiError, ApiResult};
use crate::store::DeliveryAttempt;

/// Far more than the schedule has, for a delivery that was begun anew again and again.
const ATTEMPTS_MAX: i64 = 200;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeliveryDetail {
    #[serde(flatten)]
    delivery: DeliveryBody,
    /// The message as the webhook gets it with its present settings.
    #[schema(value_type = BTreeMap<String, Value>, example = json!({ "type": "webhook.test", "timestamp": "2026-11-25T12:00:00Z", "data": { "webhook_id": "whk_01890a5d000070008000000000000000" } }))]
    message: Value,
    /// The latest 200, in their order.
    attempts_made: Vec<DeliveryAttemptBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveryAttempt)]
pub(super) struct DeliveryAttemptBody {
    number: i32,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(example = 38)]
    duration_ms: i32,
    /// What the endpoint answered; null: nothing.
    #[schema(example = 200)]
    status: Option<i32>,
    /// Why there was no answer.
    #[schema(example = json!(null))]
    error: Option<String>,
    /// At most the first 200 characters of the answer's body.
    #[schema(example = "ok")]
    answer: Option<String>,
}

impl From<DeliveryAttempt> for DeliveryAttemptBody {
    fn from(attempt: DeliveryAttempt) -> Self {
        Self {
            number: attempt.number,
            at: attempt.at,
            duration_ms: attempt.duration_ms,
            status: attempt.status,
            error: attempt.error,
            answer: attempt.answer,
        }
    }
}

/// Read a delivery
#[utoipa::path(
    get, path = "/v1/webhooks/{id}/deliveries/{event_id}", operation_id = "webhook_deliveries_get", tag = "webhooks",
    security(("bearer" = [ViewWebhooks::NAME])),
    security(("bearer" = [ViewWebhooks::NAME])),
    params(("id" = String, Path), ("event_id" = String, Path)),
    responses((status = 200, body = DeliveryDetail))
)]
pub(in crate::http) async fn get(
    caller: Caller<ViewWebhooks>,
    Ids(id, event): Ids<WebhookId, EventId>,
) -> ApiResult<Json<DeliveryDetail>> {
    let mut tx = caller.begin().await?;
    let webhook = tx.webhook_get(id).await?.ok_or_else(ApiError::not_found)?;
    let delivery = tx
        .delivery_get(id, event)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let attempts = tx.delivery_attempts(id, event, ATTEMPTS_MAX).await?;
    Ok(Json(DeliveryDetail {
        message: body(
            delivery.kind,
            delivery.at,
            &delivery.data,
            webhook.customer_numbers,
        ),
        delivery: delivery.into(),
        attempts_made: attempts.into_iter().map(Into::into).collect(),
    }))
}
