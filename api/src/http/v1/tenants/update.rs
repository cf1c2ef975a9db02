//! Renaming, moving, suspending and resuming a tenant.

use axum::Json;
use utoipa::ToSchema;

use super::body::{NAME_MAX, TenantBody, audited, checked_region};
use crate::domain::ids::TenantId;
use crate::domain::tenant::TenantStatus;
use crate::http::body::Body;
use crate::http::caller::{Operator, states};
use crate::http::fields::{Fields, FromFields};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::standing::must_be_there;

const STATUSES: &str = "active, suspended";

/// What a tenant can be set to; it is deleted by an operation of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum TenantStatusChange {
    Active,
    Suspended,
}

impl TenantStatusChange {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "active" => Some(Self::Active),
            "suspended" => Some(Self::Suspended),
            _ => None,
        }
    }
}

impl From<TenantStatusChange> for TenantStatus {
    fn from(wanted: TenantStatusChange) -> Self {
        match wanted {
            TenantStatusChange::Active => Self::Active,
            TenantStatusChange::Suspended => Self::Suspended,
        }
    }
}

#[derive(Debug, ToSchema)]
pub(super) struct TenantChange {
    #[schema(max_length = 200, example = "Northwind Collections")]
    name: Option<String>,
    status: Option<TenantStatusChange>,
    /// A region with limiters. Rules with the scope `tenant` begin to count anew there.
    #[schema(example = "us-east-1")]
    home_region: Option<String>,
}

impl FromFields for TenantChange {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            name: fields.optional_text("name", NAME_MAX),
            status: fields.optional_word("status", TenantStatusChange::parse, STATUSES),
            home_region: fields.optional_text("home_region", NAME_MAX),
        })
    }
}

/// Rename, move, suspend or resume a tenant
///
/// Calls of a suspended tenant are let through uncounted; its data and what is installed stay.
#[utoipa::path(
    patch, path = "/v1/tenants/{id}", operation_id = "tenants_update", tag = "tenants",
    security(("bearer" = [Operator::NAME])),
    extensions(("x-errors" = json!(["tenant_deleted"]))),
    params(("id" = String, Path)), request_body = TenantChange, responses((status = 200, body = TenantBody))
)]
pub(in crate::http) async fn update(
    caller: Operator,
    Id(id): Id<TenantId>,
    Body(wanted): Body<TenantChange>,
) -> ApiResult<Json<TenantBody>> {
    let home_region = match wanted.home_region {
        Some(region) => Some(checked_region(&caller.app, region)?),
        None => None,
    };
    // Through the tenant's own transaction, which also reaches its publications.
    let mut tx = caller.app.store.tenant(id).await?;
    let before = tx.tenant_lock().await?.ok_or_else(ApiError::not_found)?;
    must_be_there(&before)?;
    let mut tenant = before.clone();
    tenant.name = wanted.name.unwrap_or(tenant.name);
    tenant.status = wanted.status.map_or(tenant.status, Into::into);
    tenant.home_region = home_region.unwrap_or(tenant.home_region);
    if tenant != before {
        let change = caller.change("tenant.update", tenant.id);
        tx.tenant_update(&tenant).await?;
        tx.publication_touch(None, caller.now()).await?;
        tx.audit_append(&states(
            change,
            Some(audited(&before)),
            Some(audited(&tenant)),
        ))
        .await?;
        tx.commit().await?;
        caller.app.wake_ups.publications.wake();
    }
    Ok(Json(tenant.into()))
}
