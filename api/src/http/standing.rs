//! What a tenant's standing lets be done in it.

use super::problem::{ApiError, ApiResult, Code};
use crate::domain::tenant::Tenant;

/// Of a tenant that is deleted, or being deleted, nothing changes any more.
pub(super) fn must_be_there(tenant: &Tenant) -> ApiResult<()> {
    if tenant.status.is_going() {
        return Err(ApiError::new(
            Code::TenantDeleted,
            "the tenant is deleted, or is being deleted: nothing of it changes any more",
        ));
    }
    Ok(())
}
