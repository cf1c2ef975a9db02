//! A decision as the API shows it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ringfence_policy::Policy;
use ringfence_policy::wire::v1::{DecisionRecord, RuleRecord};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::ids::PolicyId;
use crate::http::problem::ApiResult;
use crate::store::{StoredDecision, TenantTx};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Decision)]
pub(super) struct DecisionBody {
    #[schema(example = "dec_01890a5d000070008000000000000000")]
    id: String,
    #[schema(example = "ins_01890a5d000070008000000000000000")]
    instance_id: String,
    #[schema(
        example = "arn:aws:connect:us-east-1:111122223333:instance/5f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b"
    )]
    instance_arn: String,
    #[schema(example = "4a573372-1f28-4e26-b97b-0123456789ab")]
    contact_id: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    outcome: DecisionOutcome,
    /// Whether the policy enforced, or only watched.
    mode: DecisionMode,
    /// What the deciding rule counts: `customer`, `system` (the caller id), `customer_system`; or why nothing was
    /// counted.
    #[schema(example = "customer")]
    reason: Option<String>,
    #[schema(example = "repeat-calls")]
    rule_id: Option<String>,
    #[schema(example = "Repeat calls to one customer")]
    rule_name: Option<String>,
    /// The first time at which no rule would deny, if nobody else tries.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-25T12:01:00Z")]
    retry_at: Option<Timestamp>,
    #[schema(example = 60)]
    retry_after_seconds: Option<i64>,
    /// E.164, or what was typed where that is no number.
    #[schema(example = "+12065550100")]
    customer_number: Option<String>,
    #[schema(example = true)]
    customer_number_valid: bool,
    #[schema(example = "+14255550100")]
    caller_id: Option<String>,
    #[schema(
        example = "arn:aws:connect:us-east-1:111122223333:instance/5f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b/agent/11111111-2222-4333-8444-555555555555"
    )]
    agent_arn: Option<String>,
    #[schema(
        example = "arn:aws:connect:us-east-1:111122223333:instance/5f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b/queue/7d1c4a55-2200-4265-82c0-0123456789ab"
    )]
    queue_arn: Option<String>,
    #[schema(example = "pol_01890a5d000070008000000000000000")]
    policy_id: String,
    #[schema(example = 3)]
    policy_version: u64,
    rules: Vec<RuleBody>,
    /// Why it was decided without counting.
    #[schema(example = json!(null))]
    unavailable: Option<String>,
    stop: DecisionStop,
    #[schema(example = json!(null))]
    stop_error: Option<String>,
    notice: DecisionNotice,
    #[schema(example = json!(null))]
    notice_error: Option<String>,
    #[schema(example = "0f9b6b1e-1f28-4e26-b97b-0123456789ab")]
    task_contact_id: Option<String>,
    #[schema(example = 9)]
    decided_in_ms: u32,
}

/// What one rule found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DecisionRule)]
pub(super) struct RuleBody {
    #[schema(example = "repeat-calls")]
    rule_id: String,
    #[schema(example = "Repeat calls to one customer")]
    name: Option<String>,
    mode: DecisionMode,
    #[schema(example = true)]
    applied: bool,
    #[schema(example = json!(null))]
    not_applied_because: Option<String>,
    /// Attempts before this one that counted; null on calls that were plainly allowed and came near to no limit, whose record
    /// is written in the same round as the count.
    #[schema(example = 4)]
    count: Option<u32>,
    #[schema(example = 4)]
    limit: u32,
    #[schema(example = true)]
    denied: bool,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-25T12:01:00Z")]
    retry_at: Option<Timestamp>,
}

macro_rules! mirrored {
    ($(#[$doc:meta])* $name:ident of $source:ident { $($value:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(in crate::http::v1) enum $name { $($value),+ }

        impl From<ringfence_policy::wire::v1::$source> for $name {
            fn from(value: ringfence_policy::wire::v1::$source) -> Self {
                match value { $(ringfence_policy::wire::v1::$source::$value => Self::$value),+ }
            }
        }
    };
}

mirrored! {
    /// What came of ending the contact.
    DecisionStop of StopStatus { NotNeeded, Stopped, AlreadyEnded, Failed }
}
mirrored! {
    /// What came of telling the agent.
    DecisionNotice of NoticeStatus { NotNeeded, Sent, Failed, NoAgent, NoFlow, Deferred, QueueFull, NoTaskChannel, Expired }
}
mirrored! {
    DecisionOutcome of Outcome {
        Allowed, Denied, WouldDeny, Emergency, Exempt, Unregistered, Suspended, FailedOpen, FailedClosed,
    }
}
mirrored! {
    DecisionMode of Mode { Enforce, Shadow, Off }
}

/// The policies that decided, to tell the rules' names.
pub(super) type Policies = BTreeMap<(String, u64), Policy>;

/// Every policy version that these decisions name, each read once.
pub(super) async fn policies_of(
    tx: &mut TenantTx,
    decisions: &[StoredDecision],
) -> ApiResult<Policies> {
    let mut found = Policies::new();
    for decision in decisions {
        let record = &decision.record;
        let key = (record.policy_id.clone(), record.policy_version);
        let Ok(id) = record.policy_id.parse::<PolicyId>() else {
            continue;
        };
        if found.contains_key(&key) {
            continue;
        }
        if let Some(policy) = tx.policy_version_get(id, record.policy_version).await? {
            found.insert(key, policy);
        }
    }
    Ok(found)
}

impl DecisionBody {
    pub fn new(stored: StoredDecision, policies: &Policies) -> Self {
        let record: DecisionRecord = stored.record;
        let policy = policies.get(&(record.policy_id.clone(), record.policy_version));
        let name = |rule_id: &str| policy?.rule(rule_id).map(|rule| rule.name().to_owned());
        let rules = record
            .rules
            .into_iter()
            .map(|rule| rule_body(rule, name))
            .collect();
        Self {
            id: stored.id.to_string(),
            instance_id: stored.instance_id.to_string(),
            instance_arn: record.instance_arn,
            contact_id: record.contact_id,
            at: record.at,
            outcome: record.outcome.into(),
            mode: record.mode.into(),
            reason: record.reason,
            rule_name: record.rule_id.as_deref().and_then(&name),
            rule_id: record.rule_id,
            retry_after_seconds: record
                .retry_at
                .map(|retry_at| whole_seconds(record.at, retry_at)),
            retry_at: record.retry_at,
            customer_number: record.customer_number,
            customer_number_valid: record.customer_number_valid,
            caller_id: record.caller_id,
            agent_arn: record.agent_arn,
            queue_arn: record.queue_arn,
            policy_id: record.policy_id,
            policy_version: record.policy_version,
            rules,
            unavailable: record.unavailable,
            stop: record.stop.into(),
            stop_error: record.stop_error,
            notice: record.notice.into(),
            notice_error: record.notice_error,
            task_contact_id: record.task_contact_id,
            decided_in_ms: record.decided_in_ms,
        }
    }
}

fn rule_body(rule: RuleRecord, name: impl Fn(&str) -> Option<String>) -> RuleBody {
    RuleBody {
        name: name(&rule.rule_id),
        rule_id: rule.rule_id,
        mode: rule.mode.into(),
        applied: rule.applied,
        not_applied_because: rule.not_applied_because,
        count: rule.count,
        limit: rule.limit,
        denied: rule.denied,
        retry_at: rule.retry_at,
    }
}

/// Rounded up: who comes back then is not a moment early.
fn whole_seconds(from: Timestamp, to: Timestamp) -> i64 {
    let millis = to.as_millisecond().saturating_sub(from.as_millisecond());
    millis.saturating_add(999).div_euclid(1000).max(0)
}
