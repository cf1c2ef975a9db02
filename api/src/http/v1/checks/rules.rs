//! What rules find, as checks and numbers show it.

use jiff::Timestamp;
use ringfence_policy::{Policy, RuleMode, RuleOutcome};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::v1::decisions::DecisionMode;

/// What one rule finds now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CheckedRule {
    #[schema(example = "repeat-calls")]
    rule_id: String,
    #[schema(example = "Repeat calls to one customer")]
    name: String,
    mode: DecisionMode,
    #[schema(example = true)]
    applied: bool,
    #[schema(example = json!(null))]
    not_applied_because: Option<String>,
    /// Attempts that count now.
    #[schema(example = 3)]
    count: u32,
    #[schema(example = 4)]
    limit: u32,
    /// How many more it would let out now; null where it does not apply.
    #[schema(example = 1)]
    remaining: Option<u32>,
    #[schema(example = false)]
    denied: bool,
    /// The first time at which it would let one out, if nobody else tries; only where it denies.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    retry_at: Option<Timestamp>,
}

pub(super) fn checked(policy: &Policy, outcomes: Vec<RuleOutcome>) -> Vec<CheckedRule> {
    let body = |outcome: RuleOutcome| {
        let rule_id = outcome.rule_id.to_string();
        let applied = outcome.not_applied.is_none();
        CheckedRule {
            name: policy
                .rule(&rule_id)
                .map(|rule| rule.name().to_owned())
                .unwrap_or_default(),
            rule_id,
            mode: match outcome.mode {
                RuleMode::Enforce => DecisionMode::Enforce,
                RuleMode::Shadow => DecisionMode::Shadow,
            },
            applied,
            not_applied_because: outcome.not_applied.map(|reason| reason.as_str().to_owned()),
            count: outcome.count,
            limit: outcome.limit,
            remaining: applied.then(|| match outcome.denied {
                true => 0,
                false => outcome.limit.saturating_sub(outcome.count),
            }),
            denied: outcome.denied,
            retry_at: outcome.retry_at,
        }
    };
    outcomes.into_iter().map(body).collect()
}
