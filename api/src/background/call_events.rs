//! What webhooks are told of an attempt, as its record says.

use ringfence_policy::wire::v1::{DecisionRecord, RuleRecord};
use serde_json::{Value, json};

use crate::clock::IdSource;
use crate::domain::ids::EventId;
use crate::store::{CallEvent, CallTold};

/// That a call was not let out, or each limit that one came near to.
pub(super) fn call_events(record: &DecisionRecord, ids: &IdSource) -> Vec<CallEvent> {
    let event = |what, more| CallEvent {
        id: EventId(ids.uuid()),
        what,
        data: told(record, more),
    };
    if record.outcome.is_denied() {
        return vec![event(CallTold::Denied, denial(record))];
    }
    let near = record.rules.iter().filter(|rule| rule.near);
    near.map(|rule| {
        let rule_id = rule.rule_id.clone();
        event(CallTold::Near { rule_id }, nearness(rule))
    })
    .collect()
}

fn denial(record: &DecisionRecord) -> Value {
    json!({
        "outcome": record.outcome,
        "reason": record.reason,
        "rule_id": record.rule_id,
        "retry_at": record.retry_at,
    })
}

/// The count with this attempt in it, so that it reads as so many of so many.
fn nearness(rule: &RuleRecord) -> Value {
    json!({
        "rule_id": rule.rule_id,
        "mode": rule.mode,
        "count": rule.count.map(|before| before.saturating_add(1)),
        "limit": rule.limit,
    })
}

/// What both say of the attempt, and this besides.
fn told(record: &DecisionRecord, more: Value) -> Value {
    let mut data = json!({
        "instance_id": record.instance_id,
        "contact_id": record.contact_id,
        "at": record.at,
        "customer_number": record.customer_number,
        "caller_id": record.caller_id,
        "agent_arn": record.agent_arn,
        "queue_arn": record.queue_arn,
        "policy_id": record.policy_id,
        "policy_version": record.policy_version,
    });
    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    data
}
