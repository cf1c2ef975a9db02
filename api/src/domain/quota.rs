//! How much of something a tenant may have. Pure.

use super::words::words;

words! {
    Quota {
        /// Registered instances.
        Instances => "instances",
        /// Keys that have not been revoked.
        ApiKeys => "api_keys",
        Webhooks => "webhooks",
        /// Exemptions and blocks together.
        ListedNumbers => "listed_numbers",
        /// Only told, never enforced: calls go on being limited whatever they are.
        DecisionsPerMonth => "decisions_per_month",
    }
}

impl Quota {
    /// Where the operator has set nothing; none: no limit.
    #[must_use]
    pub fn usual(self) -> Option<i64> {
        match self {
            Self::Instances => Some(100),
            Self::ApiKeys => Some(100),
            Self::Webhooks => Some(10),
            Self::ListedNumbers => Some(500_000),
            Self::DecisionsPerMonth => None,
        }
    }
}

/// A quota, and how much of it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaState {
    pub quota: Quota,
    pub most: Option<i64>,
    /// By the operator: it stays what it is, whatever the program has in a later version.
    pub is_set: bool,
    pub used: i64,
}

impl QuotaState {
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.most.is_some_and(|most| self.used > most)
    }
}
