//! A tenant as the API shows it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::tenant::{Tenant, TenantStatus};
use crate::http::problem::{ApiError, ApiResult, FieldFault};
use crate::http::state::AppState;

pub(super) const NAME_MAX: usize = 200;

/// A region that has limiters.
pub(super) fn checked_region(app: &AppState, region: String) -> ApiResult<String> {
    let regions: Vec<&str> = app.settings.regions().collect();
    if regions.contains(&region.as_str()) {
        return Ok(region);
    }
    let detail = format!("must be one of {}", regions.join(", "));
    Err(ApiError::validation(vec![FieldFault::new(
        "/home_region",
        "invalid",
        detail,
    )]))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(super) struct TenantBody {
    #[schema(example = "ten_01890a5d000070008000000000000000")]
    id: String,
    #[schema(example = "Northwind Collections")]
    name: String,
    /// Where the tenant's own meters are: those of rules with the scope `tenant`.
    #[schema(example = "us-east-1")]
    home_region: String,
    status: TenantStatusBody,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Calls of a suspended tenant are let through uncounted. One that is being deleted has lost its keys, and is `deleted`
/// once the rest is erased too.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TenantStatus)]
pub(super) enum TenantStatusBody {
    Active,
    Suspended,
    Deleting,
    Deleted,
}

impl From<TenantStatus> for TenantStatusBody {
    fn from(status: TenantStatus) -> Self {
        match status {
            TenantStatus::Active => Self::Active,
            TenantStatus::Suspended => Self::Suspended,
            TenantStatus::Deleting => Self::Deleting,
            TenantStatus::Deleted => Self::Deleted,
        }
    }
}

impl From<Tenant> for TenantBody {
    fn from(tenant: Tenant) -> Self {
        Self {
            id: tenant.id.to_string(),
            name: tenant.name,
            home_region: tenant.home_region,
            status: tenant.status.into(),
            created_at: tenant.created_at,
        }
    }
}

/// As the audit log keeps it.
pub(super) fn audited(tenant: &Tenant) -> Value {
    json!({ "name": tenant.name, "home_region": tenant.home_region, "status": tenant.status.as_str() })
}
