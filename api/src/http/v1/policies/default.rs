//! The tenant's default policy.

use axum::Json;
use axum::response::IntoResponse;

use super::body::{PolicyBody, PolicySource, checked};
use super::document::PolicyDocument;
use super::next::{Next, put_next};
use crate::auth::{EditPolicies, View};
use crate::domain::precondition::Precondition;
use crate::http::body::AnyJson;
use crate::http::caller::Caller;
use crate::http::etag::etag;
use crate::http::problem::ApiResult;

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
    expected: Precondition,
    AnyJson(document): AnyJson,
) -> ApiResult<impl IntoResponse> {
    let policy = checked(document)?;
    let mut tx = caller.begin().await?;
    let next = Next {
        action: "policy.put",
        instance: None,
        policy: &policy,
        expected: &expected,
    };
    let body = put_next(&mut tx, &caller, next).await?;
    tx.commit().await?;
    caller.app.wake_ups.publications.wake();
    Ok((etag(body.version()), Json(body)))
}
