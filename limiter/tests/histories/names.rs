//! What things are called outside: every history has instances, a tenant and contacts of its own, whose names say to
//! which history they belong, so that many run on one store at the same time.

use ringfence_limiter::Answer;
use serde_json::{Value, json};

use crate::history::{Answered, Cause, Contact};
use crate::rules::{Dialled, Policy, customer};

const MARK: &str = "history-";

pub fn instance_arn(history: u32, instance: u8) -> String {
    format!("arn:aws:connect:us-east-1:111122223333:instance/{MARK}{history:08x}-{instance}")
}

pub fn tenant_id(history: u32) -> String {
    format!("ten_{MARK}{history:08x}")
}

/// Whose history a key of the store belongs to.
pub fn history_of(key: &str) -> Option<u32> {
    let from = key.find(MARK)? + MARK.len();
    u32::from_str_radix(key.get(from..from + 8)?, 16).ok()
}

pub fn contact_id(history: u32, contact: Contact) -> String {
    format!("{history:08x}-0000-4000-8000-{contact:012x}")
}

/// The history and the contact behind the sixteen bytes of a UUID.
pub fn contact_of(uuid: &[u8]) -> Option<(u32, Contact)> {
    let history = u32::from_be_bytes(uuid.get(..4)?.try_into().ok()?);
    let contact = u64::from_be_bytes(uuid.get(8..16)?.try_into().ok()?);
    Some((history, contact & 0xffff_ffff_ffff))
}

pub fn contact_of_id(id: &str) -> Option<(u32, Contact)> {
    let history = u32::from_str_radix(id.get(..8)?, 16).ok()?;
    let contact = u64::from_str_radix(id.get(24..)?, 16).ok()?;
    Some((history, contact))
}

pub fn snapshot(history: u32, instance: u8, revision: u64, policy: &Policy) -> Value {
    json!({
        "schema": 1, "tenant_id": tenant_id(history), "instance_id": format!("ins_{history:08x}_{instance}"),
        "instance_arn": instance_arn(history, instance), "status": "active", "revision": revision,
        "policy_id": "pol_1", "policy_version": policy.version, "policy": policy.document(),
        "has_listed_numbers": policy.reads_lists,
        "runtime_role_arn": "arn:aws:iam::111122223333:role/runtime", "external_id": "external",
        "notice_flow_id": "notice-flow", "published_at": "2026-11-25T17:00:00Z"
    })
}

/// Under which a customer's number stands on the tenant's lists.
pub fn listed_key(history: u32, number: u8) -> String {
    format!("number|{}|{}", tenant_id(history), customer(number))
}

pub fn event(history: u32, contact: Contact, dialled: &Dialled) -> Value {
    let arn = instance_arn(history, dialled.instance);
    let caller_id = format!("+12065559{:03}", dialled.caller_id);
    json!({"Name": "ContactFlowEvent", "Details": {
        "ContactData": {
            "Attributes": {"campaign": format!("campaign {}", dialled.campaign)}, "Channel": "VOICE",
            "ContactId": contact_id(history, contact), "InstanceARN": arn,
            "CustomerEndpoint": {"Address": customer(dialled.customer), "Type": "TELEPHONE_NUMBER"},
            "Queue": {"ARN": format!("{arn}/queue/{}", dialled.queue), "OutboundCallerId": {"Address": caller_id}},
            "SystemEndpoint": null
        },
        "Parameters": {"AgentARN": format!("{arn}/agent/{}", dialled.agent)}
    }})
}

/// What an answer says, and the policy it names.
pub fn read(answer: &Value) -> (Answered, Option<u64>) {
    let text = |name: &str| answer[name].as_str();
    let version = text("PolicyVersion").and_then(|version| version.parse().ok());
    let stopped = text("Stopped") == Some("true");
    let denied = |by| Answered::Denied { by, stopped };
    let answered = match (text("CallAllowed"), text("Reason"), text("RuleId")) {
        (Some("true"), None, _) => Answered::Allowed,
        (Some("true"), Some("exempt"), _) => Answered::Exempt,
        (Some(allowed), Some("unavailable"), _) => Answered::Uncounted {
            allowed: allowed == "true",
        },
        (Some("false"), Some("blocked"), None) => denied(Cause::Block),
        (Some("false"), _, Some(rule_id)) => denied(Cause::Rule(rule_id.to_owned())),
        (Some("false"), None, None) => denied(Cause::Unknown),
        _ => Answered::Odd(format!("the answer is {answer}")),
    };
    (answered, version)
}

pub fn told(answer: &Answer) -> Value {
    serde_json::to_value(answer).unwrap()
}
