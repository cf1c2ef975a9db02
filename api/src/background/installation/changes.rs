//! What a step changes, as the audit log tells it. Pure.
//!
//! Flows are told by the digest of their content, which may be long.

use serde_json::{Value, json};

use super::plan::{Step, content_sha256};

/// What is there before a step and after it; null: nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepChange {
    pub before: Value,
    pub after: Value,
}

/// What of a step is known only while it is carried out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    pub flow_id: Option<&'a str>,
    /// The whisper that the queue showed right before the change; none: that was not read yet.
    pub shown: Option<Option<&'a str>>,
    pub function_arn: &'a str,
    pub statement_id: &'a str,
}

/// `None`: the step changes nothing that is a customer's, or that lets a customer in.
#[must_use]
pub fn step_change(step: &Step, known: Known<'_>) -> Option<StepChange> {
    let flow = |id: Option<&str>, name: &str, sha256: Option<&str>| json!({ "flow_id": id, "name": name, "content_sha256": sha256 });
    let queue = |id: &str, name: &str, whisper: Option<&str>| json!({ "queue_id": id, "name": name, "whisper_flow_id": whisper });
    let permission_of = |function_arn: &str| json!({ "function_arn": function_arn, "statement_id": known.statement_id });
    let permission = permission_of(known.function_arn);
    let (before, after) = match step {
        Step::GrantPermission => (Value::Null, permission),
        Step::RevokePermission => (permission, Value::Null),
        Step::CreateFlow { flow: new, .. } => {
            let sha256 = content_sha256(&new.content);
            (Value::Null, flow(known.flow_id, &new.name, Some(&sha256)))
        }
        Step::UpdateFlow {
            flow_id,
            name,
            from_sha256,
            content,
            ..
        } => (
            flow(Some(flow_id), name, Some(from_sha256)),
            flow(Some(flow_id), name, Some(&content_sha256(content))),
        ),
        Step::DeleteFlow {
            flow_id,
            name,
            content_sha256,
            ..
        } => (flow(Some(flow_id), name, Some(content_sha256)), Value::Null),
        Step::AttachQueue {
            queue_id,
            name,
            from_flow_id,
            ..
        } => (
            queue(
                queue_id,
                name,
                known.shown.unwrap_or(from_flow_id.as_deref()),
            ),
            queue(queue_id, name, known.flow_id),
        ),
        Step::RestoreQueue {
            queue_id,
            name,
            from_flow_id,
            to_flow_id,
            ..
        } => (
            queue(
                queue_id,
                name,
                known.shown.unwrap_or(from_flow_id.as_deref()),
            ),
            queue(queue_id, name, to_flow_id.as_deref()),
        ),
        Step::LeaveFunction { function_arn } | Step::RevokeFallback { function_arn } => {
            (permission_of(function_arn), Value::Null)
        }
        Step::GrantFallback { function_arn } => (Value::Null, permission_of(function_arn)),
        Step::Publish | Step::Unpublish | Step::AwaitCalls => return None,
    };
    Some(StepChange { before, after })
}

/// A change of which nobody can tell whether it took effect: its answer was lost, or the worker died over it.
#[must_use]
pub fn unconfirmed(mut after: Value) -> Value {
    if !after.is_object() {
        after = json!({});
    }
    if let Some(members) = after.as_object_mut() {
        members.insert("confirmed".to_owned(), Value::Bool(false));
    }
    after
}

/// How the audit log names a step.
#[must_use]
pub fn action(step: &str) -> Option<&'static str> {
    Some(match step {
        "grant_permission" => "installation.grant_permission",
        "revoke_permission" => "installation.revoke_permission",
        "create_flow" => "installation.create_flow",
        "update_flow" => "installation.update_flow",
        "delete_flow" => "installation.delete_flow",
        "attach_queue" => "installation.attach_queue",
        "leave_function" => "installation.leave_function",
        "restore_queue" => "installation.restore_queue",
        "grant_fallback" => "installation.grant_fallback",
        "revoke_fallback" => "installation.revoke_fallback",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::desired::FlowKey;
    use super::*;

    #[test]
    fn every_change_has_a_name_in_the_audit_log() {
        let steps = [
            Step::GrantPermission,
            Step::RevokePermission,
            Step::Publish,
            Step::Unpublish,
            Step::AwaitCalls,
            Step::LeaveFunction {
                function_arn: "function".to_owned(),
            },
            Step::GrantFallback {
                function_arn: "function".to_owned(),
            },
            Step::RevokeFallback {
                function_arn: "function".to_owned(),
            },
            Step::DeleteFlow {
                key: FlowKey::Whisper,
                flow_id: "flow".to_owned(),
                name: "Flow".to_owned(),
                content_sha256: String::new(),
            },
            Step::RestoreQueue {
                queue_id: "queue".to_owned(),
                name: "Queue".to_owned(),
                from_flow_id: None,
                to_flow_id: None,
                lost_flow_id: None,
            },
        ];
        for step in steps {
            let is_change = step_change(&step, Known::default()).is_some();
            assert_eq!(is_change, action(step.name()).is_some(), "{step:?}");
        }
    }

    #[test]
    fn what_is_not_confirmed_says_so_also_where_nothing_is_left_after_it() {
        assert_eq!(unconfirmed(Value::Null), json!({ "confirmed": false }));
        let flow = json!({ "flow_id": "a" });
        assert_eq!(
            unconfirmed(flow),
            json!({ "flow_id": "a", "confirmed": false })
        );
    }
}
