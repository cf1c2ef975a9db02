//! What is said of a pass that failed, and since when.

use super::*;
use crate::aws::{AwsError, AwsErrorKind};
use crate::store::ConnectionHealth;

fn denied(action: &'static str) -> StepError {
    StepError::Aws(AwsError {
        action,
        kind: AwsErrorKind::AccessDenied,
        message: String::new(),
    })
}

fn healthy() -> InstanceCheck {
    InstanceCheck {
        health: ConnectionHealth::Healthy,
        checks: serde_json::json!([]),
        checked_at: None,
    }
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

fn of(assessment: &Assessment, kind: ConditionType) -> &Condition {
    assessment
        .conditions
        .iter()
        .find(|condition| condition.kind == kind)
        .expect("a condition of each type")
}

/// Making a flow with tags takes two, and the role may have the one that was asked for.
#[test]
fn the_permission_that_was_refused_is_the_one_that_is_named() {
    let StepError::Aws(err) = denied("connect:CreateContactFlow") else {
        unreachable!();
    };
    let (reason, message) = words(&StepError::Aws(AwsError {
        message: "User: x is not authorized to perform: connect:TagResource on resource: y"
            .to_owned(),
        ..err
    }));
    assert_eq!(reason, "permission_missing");
    assert!(message.contains("add connect:TagResource"), "{message}");
    assert!(!message.contains("CreateContactFlow"), "{message}");
}

#[test]
fn a_missing_permission_is_named_and_blocks() {
    let plan = Plan {
        steps: vec![Step::GrantPermission, Step::Publish],
        ..Plan::default()
    };
    let err = denied("connect:CreateContactFlow");
    let pass = Pass {
        installed_wanted: true,
        shard: ShardStanding::Settled,
        connection: &healthy(),
        plan: &plan,
        failures: &[(&Step::Publish, err)],
        held_back: &[],
    };
    let assessment = assess(&pass, &[], now());
    assert_eq!(assessment.state, InstallationState::Blocked);
    assert_eq!(
        of(&assessment, ConditionType::PermissionGranted).status,
        ConditionStatus::True
    );
    let flows = of(&assessment, ConditionType::FlowsInstalled);
    assert_eq!(flows.reason, "permission_missing");
    assert!(flows.message.contains("connect:CreateContactFlow"));
    assert_eq!(
        of(&assessment, ConditionType::Ready).status,
        ConditionStatus::False
    );
}

#[test]
fn a_transition_is_dated_when_the_status_changes_and_only_then() {
    let plan = Plan::default();
    let pass = Pass {
        installed_wanted: true,
        shard: ShardStanding::Settled,
        connection: &healthy(),
        plan: &plan,
        failures: &[],
        held_back: &[],
    };
    let first = assess(&pass, &[], now());
    let later: Timestamp = "2026-01-02T00:00:00Z".parse().expect("a time");
    let second = assess(&pass, &first.conditions, later);
    assert_eq!(of(&second, ConditionType::Ready).last_transition_at, now());
    let err = denied("sts:AssumeRole");
    let third = assess_unseen(
        true,
        ShardStanding::Settled,
        &healthy(),
        &err,
        &second.conditions,
        later,
    );
    assert_eq!(of(&third, ConditionType::Ready).last_transition_at, later);
    assert_eq!(
        of(&third, ConditionType::Ready).reason,
        "role_not_assumable"
    );
    assert_eq!(
        of(&third, ConditionType::ShardAssigned).last_transition_at,
        now()
    );
}
