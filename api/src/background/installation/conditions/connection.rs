//! What holds for the roles, going by the last check of the connection and by what this pass met. Pure.

use serde_json::Value;

use crate::aws::AwsErrorKind;
use crate::domain::drift::DriftKind;
use crate::domain::installation::ConditionStatus;
use crate::store::{ConnectionHealth, InstanceCheck};

use super::super::execute::StepError;
use super::findings::{Finding, bad, good};
use super::words::words;

/// A refusal that this pass met is newer than any check.
pub(super) fn connection_finding(check: &InstanceCheck, failure: Option<&StepError>) -> Finding {
    if let Some(err) = failure.filter(|err| is_refusal(err)) {
        let (reason, message) = words(err);
        return bad(&reason, message);
    }
    match check.health {
        ConnectionHealth::Healthy => good(
            "healthy",
            "the roles can be used, and permit all that is needed",
        ),
        ConnectionHealth::Unhealthy => bad("connection_unhealthy", told(&check.checks)),
        ConnectionHealth::Unknown => (
            ConditionStatus::Unknown,
            "not_checked".to_owned(),
            "the roles have not been checked yet".to_owned(),
        ),
    }
}

/// One of the customer's roles refused; what the operator's own may not is no matter of theirs.
pub(super) fn is_refusal(err: &StepError) -> bool {
    let (refusal, is_operators) = match err {
        StepError::Aws(refusal) => {
            let is_ours = |service| refusal.action.starts_with(service);
            (refusal, is_ours("lambda:") || is_ours("dynamodb:"))
        }
        StepError::Fallback(refusal) => (refusal, false),
        _ => return false,
    };
    refusal.kind == AwsErrorKind::AccessDenied && !is_operators
}

/// What of the customer's access was changed, going by the reason that was found. AWS refuses a role that is gone, one with
/// another trust and one with another external id in the same words.
pub(super) fn access_drift(reason: &str, check: &InstanceCheck) -> DriftKind {
    match reason {
        "role_not_assumable" => DriftKind::RoleRefused,
        "permission_missing" => DriftKind::RolePermissionLost,
        _ => {
            let first = failed(&check.checks).next();
            let name = first.and_then(|check| check.get("name")?.as_str());
            match name.unwrap_or_default() {
                name if name.ends_with("_assumable") => DriftKind::RoleRefused,
                name if name.ends_with("_external_id_enforced") => DriftKind::ExternalIdNotEnforced,
                // An IAM action.
                name if name.contains(':') => DriftKind::RolePermissionLost,
                _ => DriftKind::AccessLost,
            }
        }
    }
}

/// Something that every instance passes before anything can be asked for. What only the fallback function takes may never have
/// been permitted: it is a warning where no fallback is wanted.
#[must_use]
pub fn fails_what_was_verified(check: &InstanceCheck) -> bool {
    let names = failed(&check.checks).filter_map(|check| check.get("name")?.as_str());
    let is_of_all = |name: &str| !name.starts_with("lambda:");
    check.health == ConnectionHealth::Unhealthy && names.into_iter().any(is_of_all)
}

fn failed(checks: &Value) -> impl Iterator<Item = &Value> {
    let all = checks.as_array().into_iter().flatten();
    all.filter(|check| check.get("status").and_then(Value::as_str) == Some("failed"))
}

/// The first failed check with what to do about it, and how many more there are.
fn told(checks: &Value) -> String {
    let mut failed = failed(checks);
    let text = |check: &Value, member: &str| {
        let text = check.get(member).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let Some(first) = failed.next() else {
        return "the last check of the roles failed; verify the instance to see why".to_owned();
    };
    let told = format!("{}. {}", text(first, "detail"), text(first, "fix"));
    match failed.count() {
        0 => told,
        1 => format!("{told} One more check failed."),
        more => format!("{told} {more} more checks failed."),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::AwsError;

    fn unhealthy() -> InstanceCheck {
        InstanceCheck {
            health: ConnectionHealth::Unhealthy,
            checks: json!([
                { "name": "connect:ListQueues", "status": "passed", "detail": "permitted" },
                { "name": "connect:StopContact", "status": "failed", "detail": "the runtime role lacks connect:StopContact",
                  "fix": "Add it." },
                { "name": "connect:StartTaskContact", "status": "failed", "detail": "another", "fix": "Add that too." },
            ]),
            checked_at: None,
        }
    }

    #[test]
    fn an_unhealthy_connection_is_told_with_what_to_do() {
        let (status, reason, message) = connection_finding(&unhealthy(), None);
        assert_eq!(status, ConditionStatus::False);
        assert_eq!(reason, "connection_unhealthy");
        assert_eq!(
            message,
            "the runtime role lacks connect:StopContact. Add it. One more check failed."
        );
    }

    #[test]
    fn a_role_that_just_refused_is_not_called_healthy() {
        let healthy = InstanceCheck {
            health: ConnectionHealth::Healthy,
            ..unhealthy()
        };
        let refused = |action| {
            StepError::Aws(AwsError {
                action,
                kind: AwsErrorKind::AccessDenied,
                message: String::new(),
            })
        };
        let finding = connection_finding(&healthy, Some(&refused("sts:AssumeRole")));
        assert_eq!(finding.1, "role_not_assumable");
        let ours = connection_finding(&healthy, Some(&refused("lambda:AddPermission")));
        assert_eq!(
            ours.1, "healthy",
            "the operator's own role is no matter of the customer's"
        );
        let StepError::Aws(err) = refused("lambda:GetPolicy") else {
            panic!("another error");
        };
        let theirs = connection_finding(&healthy, Some(&StepError::Fallback(err)));
        assert_eq!(theirs.1, "permission_missing");
        assert!(
            theirs
                .2
                .contains("lambda:GetPolicy on the fallback function")
        );
    }
}
