//! Deleting a tenant. Only what nothing hangs on any more can go, and it goes bit by bit.

use axum::Json;
use axum::http::StatusCode;

use super::body::{TenantBody, audited};
use crate::domain::ids::TenantId;
use crate::domain::tenant::TenantStatus;
use crate::http::caller::{Operator, states};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::http::standing::must_be_there;

/// Delete a tenant
///
/// Only once nothing of it is installed anywhere. Its keys stop working at once; the rest is erased in the background,
/// after which its status is `deleted`. What stays: its id, its audit log, and its usage. A tenant that is being deleted
/// cannot be kept any more.
#[utoipa::path(
    delete, path = "/v1/tenants/{id}", operation_id = "tenants_delete", tag = "tenants",
    security(("bearer" = [Operator::NAME])),
    extensions(("x-errors" = json!(["tenant_deleted", "installation_exists"]))),
    params(("id" = String, Path)), responses((status = 202, body = TenantBody))
)]
pub(in crate::http) async fn delete(
    caller: Operator,
    Id(id): Id<TenantId>,
) -> ApiResult<(StatusCode, Json<TenantBody>)> {
    let now = caller.now();
    let mut tx = caller.app.store.tenant(id).await?;
    let before = tx.tenant_lock().await?.ok_or_else(ApiError::not_found)?;
    must_be_there(&before)?;
    if tx.tenant_has_installations().await? {
        return Err(ApiError::new(
            Code::InstallationExists,
            "something is installed at one of its instances: uninstall it first",
        ));
    }
    let mut tenant = before.clone();
    tenant.status = TenantStatus::Deleting;
    tx.tenant_update(&tenant).await?;
    tx.api_keys_revoke_all(now).await?;
    let change = caller.change("tenant.delete", id);
    let change = states(change, Some(audited(&before)), Some(audited(&tenant)));
    tx.audit_append(&change).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(tenant.into())))
}
