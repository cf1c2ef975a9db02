//! One line per decision. No number, no token, no text of an agent's ever stands in it.

use ringfence_policy::wire::v1::{DecisionRecord, RuleRecord};

fn counts(rules: &[RuleRecord]) -> String {
    let mut told = Vec::new();
    for rule in rules.iter().filter(|rule| rule.applied) {
        match rule.count {
            Some(count) => told.push(format!("{}={count}/{}", rule.rule_id, rule.limit)),
            None => told.push(format!("{}=?/{}", rule.rule_id, rule.limit)),
        }
    }
    told.join(" ")
}

pub(crate) fn decided(record: &DecisionRecord, ms: u32) {
    tracing::info!(
        outcome = record.outcome.as_str(),
        mode = record.mode.as_str(),
        reason = record.reason.as_deref(),
        rule = record.rule_id.as_deref(),
        counts = counts(&record.rules),
        tenant_id = record.tenant_id,
        instance_id = record.instance_id,
        contact_id = record.contact_id,
        policy_version = record.policy_version,
        number_valid = record.customer_number_valid,
        stop = ?record.stop,
        stop_error = record.stop_error.as_deref(),
        notice = ?record.notice,
        notice_error = record.notice_error.as_deref(),
        unavailable = record.unavailable.as_deref(),
        ms,
        "decided"
    );
}

/// A decision of which there is no record: no tenant is known to keep it for.
pub(crate) fn passed(
    outcome: &str,
    instance_arn: &str,
    contact_id: &str,
    unavailable: Option<&str>,
    ms: u32,
) {
    tracing::info!(
        outcome,
        instance_arn,
        contact_id,
        unavailable,
        ms,
        "decided"
    );
}
