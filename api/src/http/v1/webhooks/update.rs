//! Changing a webhook, disabling it and enabling it.

use axum::Json;
use url::Url;
use utoipa::ToSchema;

use super::body::{
    CustomerNumbersWord, WebhookBody, WebhookEvent, WebhookState, audited, customer_numbers,
    description, events, must_be_reachable, url,
};
use crate::auth::ManageWebhooks;
use crate::domain::ids::WebhookId;
use crate::domain::webhook::{CustomerNumbers, DisabledBecause, EndpointState, EventKind};
use crate::http::body::Body;
use crate::http::caller::{Caller, states};
use crate::http::fields::{Fields, FromFields};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};

#[derive(Debug, ToSchema)]
pub(super) struct WebhookChange {
    #[schema(value_type = Option<String>, max_length = 2048, example = "https://hooks.example.com/ringfence")]
    url: Option<Url>,
    #[schema(max_length = 200, example = "Our case system")]
    description: Option<String>,
    #[schema(value_type = Option<Vec<WebhookEvent>>, min_items = 1)]
    events: Option<Vec<EventKind>>,
    #[schema(value_type = Option<CustomerNumbersWord>)]
    customer_numbers: Option<CustomerNumbers>,
    #[schema(value_type = Option<WebhookState>)]
    state: Option<EndpointState>,
}

impl FromFields for WebhookChange {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            url: url(fields),
            description: description(fields),
            events: events(fields),
            customer_numbers: customer_numbers(fields),
            state: fields.optional_word("state", EndpointState::parse, "enabled, disabled"),
        })
    }
}

/// Change, disable or enable a webhook
///
/// What waits for a webhook when it is disabled is given up; it can be sent again once the webhook is enabled.
#[utoipa::path(
    patch, path = "/v1/webhooks/{id}", operation_id = "webhooks_update", tag = "webhooks",
    security(("bearer" = [ManageWebhooks::NAME])),
    security(("bearer" = [ManageWebhooks::NAME])),
    params(("id" = String, Path)), request_body = WebhookChange, responses((status = 200, body = WebhookBody))
)]
pub(in crate::http) async fn update(
    caller: Caller<ManageWebhooks>,
    Id(id): Id<WebhookId>,
    Body(wanted): Body<WebhookChange>,
) -> ApiResult<Json<WebhookBody>> {
    if let Some(url) = &wanted.url {
        must_be_reachable(&caller.app, url)?;
    }
    let now = caller.now();
    let mut tx = caller.begin().await?;
    let before = tx.webhook_lock(id).await?.ok_or_else(ApiError::not_found)?;
    let mut webhook = before.clone();
    webhook.url = wanted.url.map_or(webhook.url, Into::into);
    webhook.description = wanted.description.unwrap_or(webhook.description);
    webhook.events = wanted.events.unwrap_or(webhook.events);
    webhook.customer_numbers = wanted.customer_numbers.unwrap_or(webhook.customer_numbers);
    match wanted.state {
        Some(EndpointState::Enabled) => {
            if before.state == EndpointState::Disabled {
                // Of events that were on their way when it was disabled.
                tx.deliveries_abandon(id, now).await?;
            }
            webhook.state = EndpointState::Enabled;
            webhook.disabled_because = None;
            webhook.failing_since = None;
        }
        Some(EndpointState::Disabled) if before.state == EndpointState::Enabled => {
            webhook.state = EndpointState::Disabled;
            webhook.disabled_because = Some(DisabledBecause::Asked);
            tx.deliveries_abandon(id, now).await?;
        }
        Some(EndpointState::Disabled) | None => {}
    }
    if webhook != before {
        let anew = wanted.state == Some(EndpointState::Enabled);
        tx.webhook_update(&webhook, anew, now).await?;
        let change = caller.change("webhook.update", id);
        let (before, after) = (audited(&before), audited(&webhook));
        tx.audit_append(&states(change, Some(before), Some(after)))
            .await?;
        tx.commit().await?;
    }
    Ok(Json(webhook.into()))
}
