//! A delivery as the API shows it.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::body::WebhookEvent;
use crate::domain::webhook::{DeliveryState, EndpointState};
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::store::{Delivery, Webhook};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(in crate::http::v1::webhooks) struct DeliveryBody {
    /// What messages carry as `webhook-id`, the same at every attempt.
    #[schema(example = "evt_01890a5d000070008000000000000000")]
    event_id: String,
    event: WebhookEvent,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    state: DeliveryStateWord,
    attempts: u64,
    /// When the next attempt is due; null once there is none to come.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    next_attempt_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Timestamp>,
    /// What the endpoint answered last.
    #[schema(example = 200)]
    last_status: Option<i32>,
    /// Why there was no answer.
    #[schema(example = json!(null))]
    last_error: Option<String>,
}

/// `waiting`: an attempt is due now or later; `failed`: given up.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DeliveryState)]
pub(super) enum DeliveryStateWord {
    Waiting,
    Delivered,
    Failed,
}

impl From<Delivery> for DeliveryBody {
    fn from(delivery: Delivery) -> Self {
        Self {
            event_id: delivery.event.to_string(),
            event: delivery.kind.into(),
            at: delivery.at,
            state: match delivery.state {
                DeliveryState::Waiting => DeliveryStateWord::Waiting,
                DeliveryState::Delivered => DeliveryStateWord::Delivered,
                DeliveryState::Failed => DeliveryStateWord::Failed,
            },
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_due_at,
            settled_at: delivery.settled_at,
            last_status: delivery.last_status,
            last_error: delivery.last_error,
        }
    }
}

/// To a disabled webhook nothing is sent.
pub(in crate::http::v1::webhooks) fn must_be_enabled(webhook: &Webhook) -> ApiResult<()> {
    match webhook.state {
        EndpointState::Enabled => Ok(()),
        EndpointState::Disabled => Err(ApiError::new(
            Code::Conflict,
            "the webhook is disabled: enable it first",
        )),
    }
}
