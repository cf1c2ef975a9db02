//! An instance's own policy, which stands in the place of the tenant's default as a whole.

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::body::{PolicyBody, PolicySource, audited, checked};
use super::document::PolicyDocument;
use super::next::{Next, put_next};
use crate::auth::{EditPolicies, View};
use crate::domain::ids::InstanceId;
use crate::domain::precondition::Precondition;
use crate::http::body::AnyJson;
use crate::http::caller::{Caller, states};
use crate::http::etag::{etag, must_hold};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};
use crate::store::{Constraint, StoreError};

/// The policy that an instance goes by
///
/// `source` tells whether it is the instance's own or the tenant's default. The ETag is the version of the instance's
/// own policy, zero where it has none.
#[utoipa::path(
    get, path = "/v1/instances/{id}/policy", operation_id = "policies_own_get", tag = "policies",
    security(("bearer" = [View::NAME])),
    params(("id" = String, Path, description = "The instance")),
    responses((status = 200, body = PolicyBody, headers(("ETag" = String, description = "The version"))))
)]
pub(in crate::http) async fn get(
    caller: Caller<View>,
    Id(id): Id<InstanceId>,
) -> ApiResult<impl IntoResponse> {
    let mut tx = caller.begin().await?;
    tx.instance_get(id).await?.ok_or_else(ApiError::not_found)?;
    let published = tx.publication_in_force().await?;
    let own = tx.policy_current(Some(id)).await?;
    let own_version = own.as_ref().map_or(0, |own| own.version);
    let body = match own {
        Some(own) => PolicyBody::new(PolicySource::Own, Some(own), &published),
        None => PolicyBody::new(
            PolicySource::Default,
            tx.policy_current(None).await?,
            &published,
        ),
    };
    Ok((etag(own_version), Json(body)))
}

/// Put a new version of the instance's own policy
#[utoipa::path(
    put, path = "/v1/instances/{id}/policy", operation_id = "policies_own_put", tag = "policies",
    security(("bearer" = [EditPolicies::NAME])),
    params(
        ("id" = String, Path, description = "The instance"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that was seen"),
    ),
    request_body = PolicyDocument,
    responses((status = 200, body = PolicyBody, headers(("ETag" = String, description = "The version"))))
)]
pub(in crate::http) async fn put(
    caller: Caller<EditPolicies>,
    Id(id): Id<InstanceId>,
    expected: Precondition,
    AnyJson(document): AnyJson,
) -> ApiResult<impl IntoResponse> {
    let mut tx = caller.begin().await?;
    tx.instance_get(id).await?.ok_or_else(ApiError::not_found)?;
    let policy = checked(document)?;
    let next = Next {
        action: "policy.put",
        instance: Some(id),
        policy: &policy,
        expected: &expected,
    };
    let body = put_next(&mut tx, &caller, next).await?;
    tx.commit().await?;
    caller.app.wake_ups.publications.wake();
    Ok((etag(body.version()), Json(body)))
}

/// Let the instance go by the tenant's default again
#[utoipa::path(
    delete, path = "/v1/instances/{id}/policy", operation_id = "policies_own_remove", tag = "policies",
    security(("bearer" = [EditPolicies::NAME])),
    params(
        ("id" = String, Path, description = "The instance"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that was seen"),
    ),
    responses((status = 204))
)]
pub(in crate::http) async fn remove(
    caller: Caller<EditPolicies>,
    Id(id): Id<InstanceId>,
    expected: Precondition,
) -> ApiResult<StatusCode> {
    let now = caller.now();
    let mut tx = caller.begin().await?;
    let before = tx
        .policy_current(Some(id))
        .await?
        .ok_or_else(ApiError::not_found)?;
    must_hold(&expected, before.version)?;
    if !tx.policy_remove(id, before.version, now).await? {
        return Err(StoreError::Constraint(Constraint::PolicyExists).into());
    }
    tx.publication_touch(Some(id), now).await?;
    let change = caller.change("policy.remove", before.policy_id);
    tx.audit_append(&states(change, Some(audited(&before)), None))
        .await?;
    tx.commit().await?;
    caller.app.wake_ups.publications.wake();
    Ok(StatusCode::NO_CONTENT)
}
