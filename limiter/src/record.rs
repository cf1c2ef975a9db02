//! Writes down what was decided, as the control plane will read it.

use jiff::Timestamp;
use ringfence_policy::wire::v1::{
    DecisionRecord, Mode, NoticeStatus, Outcome, RuleRecord, SCHEMA, StopStatus,
};
use ringfence_policy::{Decision, Plan, RuleOutcome, Verdict};

use crate::case::{Case, Deadlines};
use crate::event::Call;

impl Case {
    pub(crate) fn record(&self, outcome: Outcome) -> DecisionRecord {
        let snapshot = &self.snapshot;
        let customer = self.customer();
        DecisionRecord {
            schema: SCHEMA,
            instance_arn: snapshot.instance_arn.clone(),
            instance_id: snapshot.instance_id.clone(),
            tenant_id: snapshot.tenant_id.clone(),
            contact_id: self.call.contact_id.clone(),
            at: to_the_millisecond(self.now),
            outcome,
            mode: snapshot.policy.mode(),
            reason: None,
            rule_id: None,
            retry_at: None,
            customer_number: customer.map(|number| number.as_str().to_owned()),
            customer_number_valid: customer.is_none_or(ringfence_policy::Number::is_valid),
            caller_id: self
                .attempt
                .caller_id
                .as_ref()
                .map(|number| number.as_str().to_owned()),
            agent_arn: self.call.agent_arn.clone(),
            queue_arn: self.call.queue_arn.clone(),
            policy_id: snapshot.policy_id.clone(),
            policy_version: snapshot.policy_version,
            revision: snapshot.revision,
            rules: Vec::new(),
            unavailable: None,
            stop: StopStatus::NotNeeded,
            stop_error: None,
            notice: NoticeStatus::NotNeeded,
            notice_error: None,
            deferred_notice: None,
            task_contact_id: None,
            decided_in_ms: self.deadlines.elapsed_ms(),
        }
    }

    /// The record that goes out beside the counting: allowed, unless a later one says otherwise.
    pub(crate) fn provisional_record(&self, plan: &Plan<'_>) -> DecisionRecord {
        let outcome = if plan.is_emergency() {
            Outcome::Emergency
        } else {
            Outcome::Allowed
        };
        let mut record = self.record(outcome);
        if plan.is_emergency() {
            record.reason = Some("emergency".to_owned());
        }
        record.rules = plan
            .rules()
            .map(|(rule, mode, not_applied)| RuleRecord {
                rule_id: rule.id().to_string(),
                mode: mode.into(),
                applied: not_applied.is_none(),
                not_applied_because: not_applied.map(|why| why.as_str().to_owned()),
                count: None,
                limit: rule.limit().admits(),
                denied: false,
                near: false,
                retry_at: None,
            })
            .collect();
        record
    }

    pub(crate) fn counted_record(&self, decision: &Decision) -> DecisionRecord {
        let mut record = self.record(match decision.verdict {
            Verdict::Allow => Outcome::Allowed,
            Verdict::WouldDeny => Outcome::WouldDeny,
            Verdict::Deny => Outcome::Denied,
            Verdict::Emergency => Outcome::Emergency,
            Verdict::Exempt => Outcome::Exempt,
        });
        match decision.verdict {
            Verdict::Emergency => record.reason = Some("emergency".to_owned()),
            Verdict::Exempt => record.reason = Some("exempt".to_owned()),
            Verdict::Allow | Verdict::WouldDeny | Verdict::Deny => {}
        }
        if let Some(deciding) = &decision.deciding {
            record.reason = Some(deciding.reason.to_owned());
            record.rule_id = deciding.rule_id.as_ref().map(ToString::to_string);
            record.retry_at = deciding.retry_at;
        }
        record.rules = decision.rules.iter().map(rule_record).collect();
        record
    }
}

/// What is kept of a call that went out because no policy was readable: the control plane finds the tenant by the
/// instance. Its numbers stand as they came, because nothing says how they are to be read.
pub(crate) fn without_policy(
    call: &Call,
    now: Timestamp,
    why: &str,
    deadlines: Deadlines,
) -> DecisionRecord {
    DecisionRecord {
        schema: SCHEMA,
        instance_arn: call.instance.arn.clone(),
        instance_id: String::new(),
        tenant_id: String::new(),
        contact_id: call.contact_id.clone(),
        at: to_the_millisecond(now),
        outcome: Outcome::FailedOpen,
        mode: Mode::Enforce,
        reason: Some("unavailable".to_owned()),
        rule_id: None,
        retry_at: None,
        customer_number: call.customer_address.clone(),
        customer_number_valid: false,
        caller_id: call.caller_id_address.clone(),
        agent_arn: call.agent_arn.clone(),
        queue_arn: call.queue_arn.clone(),
        policy_id: String::new(),
        policy_version: 0,
        revision: 0,
        rules: Vec::new(),
        unavailable: Some(why.to_owned()),
        stop: StopStatus::NotNeeded,
        stop_error: None,
        notice: NoticeStatus::NotNeeded,
        notice_error: None,
        deferred_notice: None,
        task_contact_id: None,
        decided_in_ms: deadlines.elapsed_ms(),
    }
}

fn rule_record(outcome: &RuleOutcome) -> RuleRecord {
    let applied = outcome.not_applied.is_none();
    RuleRecord {
        rule_id: outcome.rule_id.to_string(),
        mode: outcome.mode.into(),
        applied,
        not_applied_because: outcome.not_applied.map(|why| why.as_str().to_owned()),
        count: applied.then_some(outcome.count),
        limit: outcome.limit,
        denied: outcome.denied,
        near: outcome.near,
        retry_at: outcome.retry_at,
    }
}

fn to_the_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
