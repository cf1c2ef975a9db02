//! The tenant's default policy.

use axum::Json;
use axum::response::IntoResponse;

use super::body::{PolicyBody, PolicySource, audited, checked};
use super::document::PolicyDocument;
use crate::auth::{EditPolicies, View};
use crate::domain::ids::PolicyId;
use crate::http::body::AnyJson;
use crate::http::caller::{Caller, states};
use crate::http::etag::{IfMatch, etag, stale};
use crate::http::problem::ApiResult;
use crate::store::{Put, PutPolicy};

/// The policy of every instance that has none of its own
#[utoipa::path(
    get, path = "/v1/policies/default", operation_id = "policies_default_get", tag = "policies",
    security(("bearer" = [View::NAME])),
    responses((status = 200, body = PolicyBody, headers(("ETag" = String, description = "The version"))))
)]
pub(in crate::http) async fn get(caller: Caller<View>) -> ApiResult<impl IntoResponse> {
    let mut tx = caller.begin().await?;
    let current = tx.policy_current(None).await?;
    let published = tx.publication_in_force().await?;
    let body = PolicyBody::new(PolicySource::Default, current, &published);
    Ok((etag(body.version()), Json(body)))
}

/// Put a new version of the default policy
///
/// It is checked as a whole, and stored only if nothing is wrong with it. Limiters have it within seconds: `in_force`
/// tells where they do.
#[utoipa::path(
    put, path = "/v1/policies/default", operation_id = "policies_default_put", tag = "policies",
    security(("bearer" = [EditPolicies::NAME])),
    params(("If-Match" = Option<String>, Header, description = "The ETag of the version that was seen")),
    request_body = PolicyDocument,
    responses((status = 200, body = PolicyBody, headers(("ETag" = String, description = "The version"))))
)]
pub(in crate::http) async fn put(
    caller: Caller<EditPolicies>,
    IfMatch(expected): IfMatch,
    AnyJson(document): AnyJson,
) -> ApiResult<impl IntoResponse> {
    let policy = checked(document)?;
    let now = caller.now();
    let mut tx = caller.begin().await?;
    let put = PutPolicy {
        new_id: PolicyId(caller.app.ids.uuid()),
        instance: None,
        policy: &policy,
        expected,
        now,
        by: &caller.principal.actor(),
    };
    let (before, after) = match tx.policy_put(&put).await? {
        Put::Stored { before, after } => (before, after),
        Put::Stale { current } => return Err(stale(current)),
    };
    tx.publication_touch(None, now).await?;
    let change = caller.change("policy.put", after.policy_id);
    tx.audit_append(&states(
        change,
        before.as_deref().map(audited),
        Some(audited(&after)),
    ))
    .await?;
    let published = tx.publication_in_force().await?;
    tx.commit().await?;
    caller.app.wake_ups.publications.wake();
    let body = PolicyBody::new(PolicySource::Default, Some(*after), &published);
    Ok((etag(body.version()), Json(body)))
}
