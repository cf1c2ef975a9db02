//! Quotas at the border: what would exceed one is refused by name.

use jiff::Timestamp;

use super::problem::{ApiError, ApiResult, Code};
use crate::domain::quota::Quota;
use crate::store::TenantTx;

/// To be asked after having taken from the quota, in the same transaction.
pub(super) async fn must_fit(tx: &mut TenantTx, quota: Quota, now: Timestamp) -> ApiResult<()> {
    let state = tx.quota_after_taking(quota, now).await?;
    match state.most {
        Some(most) if state.is_exceeded() => {
            let detail = format!(
                "the quota {} is {most}, and this would make it {}: delete some, or ask the operator for more",
                quota.as_str(),
                state.used,
            );
            Err(ApiError::new(Code::QuotaExceeded, detail))
        }
        _ => Ok(()),
    }
}
