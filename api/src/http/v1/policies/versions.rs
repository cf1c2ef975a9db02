//! What was put before.

use axum::Json;
use axum::extract::Path;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::{PolicyBody, PolicySource};
use crate::auth::View;
use crate::domain::ids::InstanceId;
use crate::http::caller::Caller;
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::{Query, page};
use crate::store::{PolicyVersion, TenantTx};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyVersionList {
    data: Vec<PolicyBody>,
    #[schema(example = "MTc2NDA3MjAwMDAwMDAwMA")]
    next_cursor: Option<String>,
}

/// List the versions of the default policy, newest first
#[utoipa::path(
    get, path = "/v1/policies/default/versions", operation_id = "policies_default_versions", tag = "policies",
    security(("bearer" = [View::NAME])),
    params(("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = PolicyVersionList))
)]
pub(in crate::http) async fn default_list(
    caller: Caller<View>,
    query: Query,
) -> ApiResult<Json<PolicyVersionList>> {
    list(&caller, None, query).await
}

/// List the versions of an instance's own policy, newest first
#[utoipa::path(
    get, path = "/v1/instances/{id}/policy/versions", operation_id = "policies_own_versions", tag = "policies",
    security(("bearer" = [View::NAME])),
    params(
        ("id" = String, Path, description = "The instance"),
        ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, body = PolicyVersionList))
)]
pub(in crate::http) async fn own_list(
    caller: Caller<View>,
    Id(id): Id<InstanceId>,
    query: Query,
) -> ApiResult<Json<PolicyVersionList>> {
    list(&caller, Some(id), query).await
}

/// One version of the default policy
#[utoipa::path(
    get, path = "/v1/policies/default/versions/{version}", operation_id = "policies_default_version", tag = "policies",
    security(("bearer" = [View::NAME])),
    params(("version" = i64, Path)), responses((status = 200, body = PolicyBody))
)]
pub(in crate::http) async fn default_get(
    caller: Caller<View>,
    Path(version): Path<String>,
) -> ApiResult<Json<PolicyBody>> {
    one(&caller, None, &version).await
}

/// One version of an instance's own policy
#[utoipa::path(
    get, path = "/v1/instances/{id}/policy/versions/{version}", operation_id = "policies_own_version", tag = "policies",
    security(("bearer" = [View::NAME])),
    params(("id" = String, Path, description = "The instance"), ("version" = i64, Path)),
    responses((status = 200, body = PolicyBody))
)]
pub(in crate::http) async fn own_get(
    caller: Caller<View>,
    Path((id, version)): Path<(String, String)>,
) -> ApiResult<Json<PolicyBody>> {
    let id = id.parse().map_err(|_| ApiError::not_found())?;
    one(&caller, Some(id), &version).await
}

async fn list(
    caller: &Caller<View>,
    instance: Option<InstanceId>,
    mut query: Query,
) -> ApiResult<Json<PolicyVersionList>> {
    let limit = query.limit()?;
    let before = query.cursor(|text| text.parse().ok())?;
    query.finish()?;
    let mut tx = caller.begin().await?;
    if let Some(id) = instance {
        tx.instance_get(id).await?.ok_or_else(ApiError::not_found)?;
    }
    let versions = tx.policy_version_list(instance, before, limit + 1).await?;
    let show = |version| PolicyBody::new(PolicySource::of(instance), Some(version), &[]);
    let list = page(
        versions,
        limit,
        |version: &PolicyVersion| version.version.to_string(),
        show,
    );
    Ok(Json(PolicyVersionList {
        data: list.data,
        next_cursor: list.next_cursor,
    }))
}

async fn one(
    caller: &Caller<View>,
    instance: Option<InstanceId>,
    version: &str,
) -> ApiResult<Json<PolicyBody>> {
    let wanted: i64 = version.parse().map_err(|_| ApiError::not_found())?;
    let mut tx = caller.begin().await?;
    let found = found(&mut tx, instance, wanted).await?;
    let published = tx.publication_in_force().await?;
    let source = PolicySource::of(instance);
    Ok(Json(PolicyBody::new(source, Some(found), &published)))
}

/// One version, or the answer that there is none.
pub(super) async fn found(
    tx: &mut TenantTx,
    instance: Option<InstanceId>,
    wanted: i64,
) -> ApiResult<PolicyVersion> {
    let following = wanted.checked_add(1).ok_or_else(ApiError::not_found)?;
    let found = tx
        .policy_version_list(instance, Some(following), 1)
        .await?
        .pop();
    found
        .filter(|found| found.version == wanted)
        .ok_or_else(ApiError::not_found)
}
