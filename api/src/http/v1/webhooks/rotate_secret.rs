//! A new signing secret, while the present one goes on for a while.

use axum::http::StatusCode;
use jiff::SignedDuration;
use serde_json::json;
use utoipa::ToSchema;

use super::body::{WebhookWithSecret, new_secret};
use crate::auth::ManageWebhooks;
use crate::domain::ids::WebhookId;
use crate::http::body::Body;
use crate::http::caller::{Caller, states};
use crate::http::fields::{Fields, FromFields};
use crate::http::once::OnceResult;
use crate::http::path::Id;
use crate::http::problem::ApiError;

const OVERLAP_DEFAULT: u32 = 24 * 3600;
const OVERLAP_MAX: u32 = 7 * 24 * 3600;

#[derive(Debug, ToSchema)]
pub(super) struct SecretRotation {
    /// How long the present secret signs beside the new one.
    #[schema(value_type = Option<u32>, default = 86400, maximum = 604_800)]
    overlap_seconds: u32,
}

impl FromFields for SecretRotation {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let overlap = fields.optional_number("overlap_seconds", 0, OVERLAP_MAX);
        Some(Self {
            overlap_seconds: overlap.unwrap_or(OVERLAP_DEFAULT),
        })
    }
}

/// Make a new signing secret
///
/// Until the overlap ends, messages carry two signatures, so that the receiver can take the new secret at any moment.
/// A secret before the present one stops signing at once.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/rotate-secret", operation_id = "webhooks_rotate_secret", tag = "webhooks",
    security(("bearer" = [ManageWebhooks::NAME])),
    security(("bearer" = [ManageWebhooks::NAME])),
    params(("id" = String, Path)), request_body = SecretRotation,
    responses((status = 200, body = WebhookWithSecret))
)]
pub(in crate::http) async fn rotate_secret(
    caller: Caller<ManageWebhooks>,
    Id(id): Id<WebhookId>,
    Body(rotation): Body<SecretRotation>,
) -> OnceResult {
    let overlap = SignedDuration::from_secs(rotation.overlap_seconds.into());
    let now = caller.now();
    let former_until = now.checked_add(overlap).unwrap_or(now);
    let (secret, sealed) = new_secret(&caller.app, caller.tenant.id, id)?;
    let mut tx = caller.begin_once().await?;
    let mut webhook = tx.webhook_lock(id).await?.ok_or_else(ApiError::not_found)?;
    tx.webhook_rotate(id, &sealed, former_until).await?;
    webhook.former_secret_until = Some(former_until);
    let change = caller.change("webhook.rotate_secret", id);
    let after = json!({ "former_secret_until": former_until });
    tx.audit_append(&states(change, None, Some(after))).await?;
    let rotated = WebhookWithSecret::new(webhook, &secret);
    Ok(tx.answer(StatusCode::OK, &rotated).await?)
}
