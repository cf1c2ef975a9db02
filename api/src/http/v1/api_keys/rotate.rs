//! Giving a key a new secret. The old one goes on working for a while, so that nobody has to change everything at once.

use axum::http::StatusCode;
use jiff::SignedDuration;
use utoipa::ToSchema;

use super::create::{MadeApiKey, audited};
use crate::auth::keys::NewKey;
use crate::auth::{Kind, ManageKeys};
use crate::domain::ids::ApiKeyId;
use crate::http::body::Body;
use crate::http::caller::{Caller, states};
use crate::http::fields::{Fields, FromFields};
use crate::http::once::OnceResult;
use crate::http::path::Id;
use crate::http::problem::{ApiError, Code};
use crate::store::{ApiKey, NewSecret};

const OVERLAP_SECONDS: i64 = 24 * 60 * 60;
const OVERLAP_SECONDS_MAX: i64 = 7 * 24 * 60 * 60;
/// Of a key that rotates itself: an answer that is lost on its way can be asked for again with the secret before only.
const OWN_OVERLAP_SECONDS: i64 = 60;

#[derive(Debug, ToSchema)]
pub(super) struct KeyRotation {
    /// How long the secret before goes on working; a day if not given, 0 to end it at once. At least 60 where a key rotates
    /// itself: with the secret before and the same `Idempotency-Key` it gets an answer again that was lost.
    #[schema(value_type = Option<i64>, required = false, minimum = 0, maximum = 604_800, example = 3600)]
    overlap_seconds: i64,
}

impl FromFields for KeyRotation {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let overlap = fields.optional_whole("overlap_seconds", 0..=OVERLAP_SECONDS_MAX);
        Some(Self {
            overlap_seconds: overlap.unwrap_or(OVERLAP_SECONDS),
        })
    }
}

/// Rotate a key
///
/// The key keeps its id, role, scopes and expiry, and gets a new secret, shown in this one answer. The secret before goes
/// on working for `overlap_seconds`; one that was still in such an overlap ends at once. Nobody rotates a key that may do
/// more than they may themselves, and no key one that works for longer.
#[utoipa::path(
    post, path = "/v1/api-keys/{id}/rotate", operation_id = "api_keys_rotate", tag = "api-keys",
    security(("bearer" = [ManageKeys::NAME])),
    extensions(("x-errors" = json!(["conflict"]))),
    params(("id" = String, Path)), request_body = KeyRotation, responses((status = 200, body = MadeApiKey))
)]
pub(in crate::http) async fn rotate(
    caller: Caller<ManageKeys>,
    Id(id): Id<ApiKeyId>,
    Body(wanted): Body<KeyRotation>,
) -> OnceResult {
    let is_own = caller.principal.kind == Kind::ApiKey(id);
    if is_own && wanted.overlap_seconds < OWN_OVERLAP_SECONDS {
        let detail = format!("must be at least {OWN_OVERLAP_SECONDS} where a key rotates itself");
        return Err(ApiError::field("/overlap_seconds", "out_of_range", detail).into());
    }
    let now = caller.now();
    let overlap = SignedDuration::from_secs(wanted.overlap_seconds);
    let secret = NewKey::api(&caller.app.ids);
    let prefix = secret.prefix();
    let mut tx = caller.begin_once().await?;
    let before = tx.api_key_lock(id).await?.ok_or_else(ApiError::not_found)?;
    if !caller
        .principal
        .may_give(before.role, before.scopes.as_deref())
    {
        let detail = "a key that may do more than you needs to be rotated by somebody who may";
        return Err(ApiError::new(Code::Forbidden, detail).into());
    }
    if !caller.principal.may_give_until(before.expires_at) {
        let detail =
            "a key that works for longer than yours needs to be rotated by somebody whose does too";
        return Err(ApiError::new(Code::Forbidden, detail).into());
    }
    if before.expires_at.is_some_and(|at| at <= now) {
        let detail = "the key has expired; make another";
        return Err(ApiError::new(Code::Conflict, detail).into());
    }
    let previous_until = now.checked_add(overlap).unwrap_or(now);
    let previous_until = Some(previous_until).filter(|until| *until > now);
    tx.api_key_rotate(
        id,
        &NewSecret {
            sha256: &secret.sha256(),
            prefix: &prefix,
            previous_until,
            now,
        },
    )
    .await?;
    let rotated = ApiKey {
        prefix,
        previous_until,
        ..before.clone()
    };
    let mut after = audited(&rotated);
    after["overlap_seconds"] = wanted.overlap_seconds.into();
    let told = states(
        caller.change("api_key.rotate", id),
        Some(audited(&before)),
        Some(after),
    );
    tx.audit_append(&told).await?;
    let made = MadeApiKey::new(rotated, &secret);
    Ok(tx.answer(StatusCode::OK, &made).await?)
}
