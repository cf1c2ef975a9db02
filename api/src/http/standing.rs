//! What a tenant's standing lets be done in it.

use super::problem::ApiResult;
use crate::auth::Refused;
use crate::domain::tenant::Tenant;

/// Of a tenant that is deleted, or being deleted, nothing changes any more.
pub(super) fn must_be_there(tenant: &Tenant) -> ApiResult<()> {
    match tenant.status.is_going() {
        true => Err(Refused::Deleted.into()),
        false => Ok(()),
    }
}
