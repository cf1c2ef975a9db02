//! A webhook as the API shows it, and the fields it is made of.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use ringfence_policy::draft::code;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;
use utoipa::ToSchema;

use crate::background::webhooks::{seal_purpose, secret_text};
use crate::domain::ids::{TenantId, WebhookId};
use crate::domain::webhook::{CustomerNumbers, DisabledBecause, EndpointState, EventKind};
use crate::http::fields::Fields;
use crate::http::problem::{ApiError, ApiResult, FieldFault};
use crate::http::state::AppState;
use crate::outbound::URL_CHARS_MAX;
use crate::store::Webhook;

pub(super) const DESCRIPTION_MAX: usize = 200;
const FINGERPRINT_DIGITS: usize = 16;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct WebhookBody {
    #[schema(example = "whk_01890a5d000070008000000000000000")]
    id: String,
    #[schema(example = "https://hooks.example.com/ringfence")]
    url: String,
    #[schema(example = "Our case system")]
    description: String,
    events: Vec<WebhookEvent>,
    customer_numbers: CustomerNumbersWord,
    state: WebhookState,
    #[schema(example = json!(null))]
    disabled_because: Option<WebhookDisabledBecause>,
    /// Nothing could be delivered since then, and something waited all the time; null where the last attempt succeeded.
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// After a rotation: until then the former secret signs too.
    #[schema(value_type = Option<String>, format = DateTime)]
    former_secret_until: Option<Timestamp>,
}

/// What can be told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEvent)]
pub(super) enum WebhookEvent {
    #[serde(rename = "call.denied")]
    CallDenied,
    #[serde(rename = "connection.unhealthy")]
    ConnectionUnhealthy,
    #[serde(rename = "installation.drifted")]
    InstallationDrifted,
    #[serde(rename = "limit.near")]
    LimitNear,
    #[serde(rename = "policy.published")]
    PolicyPublished,
    #[serde(rename = "webhook.test")]
    WebhookTest,
}

/// How customers' numbers are written: with the middle hidden, or in full.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CustomerNumbers)]
pub(super) enum CustomerNumbersWord {
    Masked,
    Full,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum WebhookState {
    Enabled,
    Disabled,
}

/// `asked`: by the tenant; `failing`: nothing could be delivered for three days; `gone`: it answered 410.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum WebhookDisabledBecause {
    Asked,
    Failing,
    Gone,
}

impl From<EventKind> for WebhookEvent {
    fn from(kind: EventKind) -> Self {
        match kind {
            EventKind::CallDenied => Self::CallDenied,
            EventKind::ConnectionUnhealthy => Self::ConnectionUnhealthy,
            EventKind::InstallationDrifted => Self::InstallationDrifted,
            EventKind::LimitNear => Self::LimitNear,
            EventKind::PolicyPublished => Self::PolicyPublished,
            EventKind::WebhookTest => Self::WebhookTest,
        }
    }
}

impl From<Webhook> for WebhookBody {
    fn from(webhook: Webhook) -> Self {
        Self {
            id: webhook.id.to_string(),
            url: webhook.url,
            description: webhook.description,
            events: webhook.events.into_iter().map(Into::into).collect(),
            customer_numbers: match webhook.customer_numbers {
                CustomerNumbers::Masked => CustomerNumbersWord::Masked,
                CustomerNumbers::Full => CustomerNumbersWord::Full,
            },
            state: match webhook.state {
                EndpointState::Enabled => WebhookState::Enabled,
                EndpointState::Disabled => WebhookState::Disabled,
            },
            disabled_because: webhook.disabled_because.map(|because| match because {
                DisabledBecause::Asked => WebhookDisabledBecause::Asked,
                DisabledBecause::Failing => WebhookDisabledBecause::Failing,
                DisabledBecause::Gone => WebhookDisabledBecause::Gone,
            }),
            failing_since: webhook.failing_since,
            created_at: webhook.created_at,
            former_secret_until: webhook.former_secret_until,
        }
    }
}

/// A webhook with its signing secret, which is in this one answer and nowhere else.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookWithSecret {
    #[serde(flatten)]
    shown: WebhookBody,
    /// What messages are signed with. It cannot be shown again.
    #[schema(example = "whsec_…")]
    secret: String,
}

impl fmt::Debug for WebhookWithSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookWithSecret")
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

impl WebhookWithSecret {
    pub fn new(webhook: Webhook, secret: &[u8]) -> Self {
        Self {
            shown: webhook.into(),
            secret: secret_text(secret),
        }
    }
}

/// A new signing secret, in clear and as it is kept.
pub(super) fn new_secret(
    app: &AppState,
    tenant: TenantId,
    webhook: WebhookId,
) -> ApiResult<([u8; 32], Vec<u8>)> {
    let secret = app.ids.secret();
    let sealed = app
        .settings
        .sealer
        .seal(&secret, &seal_purpose(tenant, webhook), &app.ids)
        .map_err(|err| ApiError::internal(format!("a signing secret was not sealed: {err}")))?;
    Ok((secret, sealed))
}

/// As the audit log keeps it. The address's path and query may be secrets of the receiver's, so that another address at the
/// same origin shows by the fingerprint alone.
pub(super) fn audited(webhook: &Webhook) -> Value {
    let origin = Url::parse(&webhook.url)
        .map(|url| url.origin().ascii_serialization())
        .unwrap_or_default();
    json!({
        "origin": origin,
        "address_fingerprint": address_fingerprint(webhook),
        "description": webhook.description,
        "events": webhook.events.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        "customer_numbers": webhook.customer_numbers.as_str(),
        "state": webhook.state.as_str(),
        "disabled_because": webhook.disabled_because.map(DisabledBecause::as_str),
    })
}

/// Of the whole address: the beginning of a SHA-256 that also takes in the webhook's id, so that two webhooks with one address
/// do not show it.
fn address_fingerprint(webhook: &Webhook) -> String {
    let digest = Sha256::new()
        .chain_update(webhook.id.to_string())
        .chain_update([0])
        .chain_update(&webhook.url)
        .finalize();
    hex::encode(digest)
        .chars()
        .take(FINGERPRINT_DIGITS)
        .collect()
}

pub(super) fn url(fields: &mut Fields) -> Option<Url> {
    const NAME: &str = "url";
    let text = fields.optional_text(NAME, URL_CHARS_MAX)?;
    match Url::parse(&text) {
        Ok(url) => Some(url),
        Err(_) => {
            fields.fault(NAME, code::INVALID, "must be an https address");
            None
        }
    }
}

/// As far as it can be said before its name is resolved, which happens at each delivery.
pub(super) fn must_be_reachable(app: &AppState, url: &Url) -> ApiResult<()> {
    app.outbound.reach().check(url).map_err(|refused| {
        let detail = refused.to_string();
        ApiError::validation(vec![FieldFault::new("/url", code::INVALID, detail)])
    })
}

/// A text that may be empty.
pub(super) fn description(fields: &mut Fields) -> Option<String> {
    const NAME: &str = "description";
    match fields.take(NAME)? {
        Value::String(text) if text.trim().is_empty() => Some(String::new()),
        Value::String(text)
            if text.chars().count() <= DESCRIPTION_MAX && !text.chars().any(char::is_control) =>
        {
            Some(text.trim().to_owned())
        }
        Value::String(_) => {
            let detail = format!(
                "must have at most {DESCRIPTION_MAX} characters, none of them control characters"
            );
            fields.fault(NAME, code::OUT_OF_RANGE, detail);
            None
        }
        _ => {
            fields.fault(NAME, code::WRONG_TYPE, "must be a text");
            None
        }
    }
}

pub(super) fn events(fields: &mut Fields) -> Option<Vec<EventKind>> {
    const NAME: &str = "events";
    let Value::Array(items) = fields.take(NAME)? else {
        fields.fault(NAME, code::WRONG_TYPE, "must be a list of events");
        return None;
    };
    let is_one = |item: &Value| {
        let word = item.as_str()?;
        EventKind::to_choose().find(|kind| kind.as_str() == word)
    };
    let chosen: BTreeSet<EventKind> = items.iter().filter_map(is_one).collect();
    if chosen.is_empty() || chosen.len() != items.len() {
        let all: Vec<&str> = EventKind::to_choose().map(EventKind::as_str).collect();
        let detail = format!("must hold different events out of {}", all.join(", "));
        fields.fault(NAME, code::INVALID, detail);
        return None;
    }
    Some(chosen.into_iter().collect())
}

pub(super) fn customer_numbers(fields: &mut Fields) -> Option<CustomerNumbers> {
    fields.optional_word("customer_numbers", CustomerNumbers::parse, "masked, full")
}
