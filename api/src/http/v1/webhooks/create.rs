//! Adding a webhook. Its signing secret is in this one answer and nowhere else.

use axum::http::StatusCode;
use url::Url;
use utoipa::ToSchema;

use super::body::{
    CustomerNumbersWord, WebhookEvent, WebhookWithSecret, audited, customer_numbers, description,
    events, must_be_reachable, new_secret, url,
};
use crate::auth::ManageWebhooks;
use crate::domain::ids::WebhookId;
use crate::domain::quota::Quota;
use crate::domain::webhook::{CustomerNumbers, EndpointState, EventKind};
use crate::http::body::Body;
use crate::http::caller::{Caller, states};
use crate::http::fields::{Fields, FromFields};
use crate::http::once::OnceResult;
use crate::http::quota::must_fit;
use crate::store::Webhook;

#[derive(Debug, ToSchema)]
pub(super) struct NewWebhook {
    /// https, without user name and password, at a public address.
    #[schema(value_type = String, max_length = 2048, example = "https://hooks.example.com/ringfence")]
    url: Url,
    #[schema(max_length = 200, example = "Our case system")]
    description: Option<String>,
    #[schema(value_type = Vec<WebhookEvent>, min_items = 1)]
    events: Vec<EventKind>,
    #[schema(value_type = Option<CustomerNumbersWord>, default = "masked")]
    customer_numbers: CustomerNumbers,
}

impl FromFields for NewWebhook {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let url = (!fields.is_missing("url")).then(|| url(fields)).flatten();
        let events = (!fields.is_missing("events"))
            .then(|| events(fields))
            .flatten();
        let description = description(fields);
        let customer_numbers = customer_numbers(fields);
        Some(Self {
            url: url?,
            description,
            events: events?,
            customer_numbers: customer_numbers.unwrap_or(CustomerNumbers::Masked),
        })
    }
}

/// Add a webhook
///
/// Messages are signed by Standard Webhooks with the secret in the answer. What an address is can change: it is looked
/// at again at each delivery, and messages go to public addresses only.
#[utoipa::path(
    post, path = "/v1/webhooks", operation_id = "webhooks_create", tag = "webhooks",
    security(("bearer" = [ManageWebhooks::NAME])),
    extensions(("x-errors" = json!(["quota_exceeded"]))),
    security(("bearer" = [ManageWebhooks::NAME])),
    request_body = NewWebhook, responses((status = 201, body = WebhookWithSecret))
)]
pub(in crate::http) async fn create(
    caller: Caller<ManageWebhooks>,
    Body(new): Body<NewWebhook>,
) -> OnceResult {
    must_be_reachable(&caller.app, &new.url)?;
    let id = WebhookId(caller.app.ids.uuid());
    let (secret, sealed) = new_secret(&caller.app, caller.tenant.id, id)?;
    let webhook = Webhook {
        id,
        url: new.url.into(),
        description: new.description.unwrap_or_default(),
        events: new.events,
        customer_numbers: new.customer_numbers,
        state: EndpointState::Enabled,
        disabled_because: None,
        failing_since: None,
        created_at: caller.now(),
        former_secret_until: None,
    };
    let mut tx = caller.begin_once().await?;
    tx.webhook_insert(&webhook, &sealed).await?;
    must_fit(&mut tx, Quota::Webhooks, webhook.created_at).await?;
    let change = caller.change("webhook.create", id);
    tx.audit_append(&states(change, None, Some(audited(&webhook))))
        .await?;
    let made = WebhookWithSecret::new(webhook, &secret);
    Ok(tx.answer(StatusCode::CREATED, &made).await?)
}
