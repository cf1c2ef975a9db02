//! Quotas as the API shows them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::quota::QuotaState;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuotaList {
    data: Vec<QuotaBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Quota)]
pub(super) struct QuotaBody {
    #[schema(value_type = QuotaName)]
    quota: &'static str,
    /// Null: no limit.
    #[schema(example = 100)]
    limit: Option<i64>,
    #[schema(example = 4)]
    used: i64,
}

/// `decisions_per_month` is only told: calls go on being limited beyond it. What would exceed one of the others is
/// refused.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum QuotaName {
    Instances,
    ApiKeys,
    Webhooks,
    ListedNumbers,
    DecisionsPerMonth,
}

impl From<Vec<QuotaState>> for QuotaList {
    fn from(states: Vec<QuotaState>) -> Self {
        let data = states
            .into_iter()
            .map(|state| QuotaBody {
                quota: state.quota.as_str(),
                limit: state.most,
                used: state.used,
            })
            .collect();
        Self { data }
    }
}
