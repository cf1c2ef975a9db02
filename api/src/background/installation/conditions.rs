//! What is true of an installation after a pass, in words that say what to do about it. Pure.
//!
//! Invariant: a condition's transition time changes only when its status does.

use jiff::Timestamp;

use crate::aws::{AwsError, AwsErrorKind};
use crate::domain::installation::{
    Condition, ConditionStatus, ConditionType, InstallationState, QueueState,
};

use super::execute::StepError;
use super::plan::{Obstacle, Plan, Step};

/// How a pass went.
#[derive(Debug)]
pub struct Pass<'a> {
    pub installed_wanted: bool,
    pub plan: &'a Plan,
    /// The step that failed, and why; steps after it were not tried.
    pub failure: Option<(&'a Step, &'a StepError)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    pub state: InstallationState,
    pub conditions: Vec<Condition>,
    /// Nothing is left to do for this generation.
    pub reached: bool,
}

/// Status, reason and message of one condition.
type Finding = (ConditionStatus, String, String);

/// The pass came to its end or to a failed step.
#[must_use]
pub fn assess(pass: &Pass<'_>, old: &[Condition], now: Timestamp) -> Assessment {
    if !pass.installed_wanted {
        return assess_uninstall(pass, old, now);
    }
    let shard = good("assigned", "a limiter function serves this instance");
    let permission = step_finding(
        pass,
        |step| matches!(step, Step::GrantPermission),
        || good("granted", "the instance may invoke the limiter function"),
    );
    let flows = step_finding(pass, is_flow_step, || flows_finding(pass.plan));
    let queues = step_finding(pass, is_queue_step, || queues_finding(pass.plan));
    let findings = vec![
        (ConditionType::ShardAssigned, shard),
        (ConditionType::PermissionGranted, permission),
        (ConditionType::FlowsInstalled, flows),
        (ConditionType::QueuesAttached, queues),
    ];
    let state = match pass.failure {
        Some((_, err)) if needs_somebody(err) => InstallationState::Blocked,
        Some(_) => InstallationState::Installing,
        None if is_obstructed(pass.plan) => InstallationState::Blocked,
        None => InstallationState::Installed,
    };
    Assessment {
        state,
        conditions: with_ready(findings, pass.failure, old, now),
        reached: pass.failure.is_none(),
    }
}

/// The pass could not even look: `reason` holds for everything that had to be looked at.
#[must_use]
pub fn assess_unseen(
    installed_wanted: bool,
    err: &StepError,
    old: &[Condition],
    now: Timestamp,
) -> Assessment {
    let (reason, message) = words(err);
    let unknown = || (ConditionStatus::Unknown, reason.clone(), message.clone());
    let findings = vec![
        (
            ConditionType::ShardAssigned,
            good("assigned", "a limiter function serves this instance"),
        ),
        (ConditionType::PermissionGranted, unknown()),
        (ConditionType::FlowsInstalled, unknown()),
        (ConditionType::QueuesAttached, unknown()),
        (
            ConditionType::Ready,
            (ConditionStatus::False, reason.clone(), message.clone()),
        ),
    ];
    let state = match (needs_somebody(err), installed_wanted) {
        (true, _) => InstallationState::Blocked,
        (false, true) => InstallationState::Installing,
        (false, false) => InstallationState::Uninstalling,
    };
    Assessment {
        state,
        conditions: dated(findings, old, now),
        reached: false,
    }
}

/// No limiter function of the region has room.
#[must_use]
pub fn assess_without_shard(region: &str, old: &[Condition], now: Timestamp) -> Assessment {
    let reason = "no_shard_capacity";
    let message = format!(
        "every limiter function in {region} is full or there is none; the operator has to add one"
    );
    let findings = ConditionType::ALL
        .into_iter()
        .map(|kind| {
            let status = match kind {
                ConditionType::ShardAssigned | ConditionType::Ready => ConditionStatus::False,
                _ => ConditionStatus::Unknown,
            };
            (kind, (status, reason.to_owned(), message.clone()))
        })
        .collect();
    Assessment {
        state: InstallationState::Blocked,
        conditions: dated(findings, old, now),
        reached: false,
    }
}

fn assess_uninstall(pass: &Pass<'_>, old: &[Condition], now: Timestamp) -> Assessment {
    let (state, (reason, message)) = match pass.failure {
        None => (
            InstallationState::Uninstalled,
            (
                "uninstalled".to_owned(),
                "nothing of Ringfence is left in the instance".to_owned(),
            ),
        ),
        Some((_, err)) if needs_somebody(err) => (InstallationState::Blocked, words(err)),
        Some((_, err)) => (InstallationState::Uninstalling, words(err)),
    };
    let findings = ConditionType::ALL
        .into_iter()
        .map(|kind| {
            (
                kind,
                (ConditionStatus::False, reason.clone(), message.clone()),
            )
        })
        .collect();
    Assessment {
        state,
        conditions: dated(findings, old, now),
        reached: pass.failure.is_none(),
    }
}

fn good(reason: &str, message: &str) -> Finding {
    (ConditionStatus::True, reason.to_owned(), message.to_owned())
}

fn bad(reason: &str, message: String) -> Finding {
    (ConditionStatus::False, reason.to_owned(), message)
}

fn is_flow_step(step: &Step) -> bool {
    matches!(
        step,
        Step::CreateFlow { .. } | Step::UpdateFlow { .. } | Step::Publish
    )
}

fn is_queue_step(step: &Step) -> bool {
    matches!(
        step,
        Step::AttachQueue { .. } | Step::RestoreQueue { .. } | Step::DeleteFlow { .. }
    )
}

/// What holds for the steps of one kind: the failure among them, that they wait for an earlier one, or `done`.
fn step_finding(
    pass: &Pass<'_>,
    of_this_kind: fn(&Step) -> bool,
    done: impl FnOnce() -> Finding,
) -> Finding {
    let Some((failed, err)) = pass.failure else {
        return done();
    };
    if of_this_kind(failed) {
        let (reason, message) = words(err);
        return bad(&reason, message);
    }
    let behind_the_failure = pass
        .plan
        .steps
        .iter()
        .skip_while(|step| *step != failed)
        .any(of_this_kind);
    if behind_the_failure {
        bad("in_progress", "waits for an earlier step".to_owned())
    } else {
        done()
    }
}

fn flows_finding(plan: &Plan) -> Finding {
    for obstacle in &plan.obstacles {
        match obstacle {
            Obstacle::NameTaken(name) => {
                let message = format!(
                    "the instance has a flow \"{name}\" that Ringfence did not make (or that lost its tags); rename or delete it"
                );
                return bad("flow_name_taken", message);
            }
            Obstacle::UnknownQueues(_) => {}
        }
    }
    match plan
        .drifted
        .iter()
        .find(|text| text.starts_with("the flow"))
    {
        Some(text) => bad("drifted", format!("{text}; install again to mend it")),
        None => good("installed", "the flows are published"),
    }
}

fn queues_finding(plan: &Plan) -> Finding {
    let names = |state: QueueState| -> Vec<String> {
        plan.queues
            .iter()
            .filter(|queue| queue.state == state)
            .map(|queue| format!("\"{}\" {}", queue.name, queue.detail))
            .collect()
    };
    if let Some(unknown) = plan.obstacles.iter().find_map(|obstacle| match obstacle {
        Obstacle::UnknownQueues(ids) => Some(ids.join(", ")),
        Obstacle::NameTaken(_) => None,
    }) {
        return bad(
            "queue_not_found",
            format!("the instance has no queue {unknown}"),
        );
    }
    let refused = names(QueueState::Refused);
    if !refused.is_empty() {
        return bad("queues_refused", refused.join("; "));
    }
    let left_alone = names(QueueState::LeftAlone);
    if !left_alone.is_empty() {
        return bad("drifted", left_alone.join("; "));
    }
    if is_obstructed(plan) {
        return bad("in_progress", "waits for the whisper flows".to_owned());
    }
    good("attached", "every chosen queue runs the whisper")
}

fn is_obstructed(plan: &Plan) -> bool {
    !plan.obstacles.is_empty()
        || plan
            .queues
            .iter()
            .any(|queue| queue.state == QueueState::Refused)
}

fn with_ready(
    mut findings: Vec<(ConditionType, Finding)>,
    failure: Option<(&Step, &StepError)>,
    old: &[Condition],
    now: Timestamp,
) -> Vec<Condition> {
    let ready = match (
        failure,
        findings
            .iter()
            .find(|(_, finding)| finding.0 != ConditionStatus::True),
    ) {
        (Some((_, err)), _) => {
            let (reason, message) = words(err);
            bad(&reason, message)
        }
        (None, Some((_, (_, reason, message)))) => bad(reason, message.clone()),
        (None, None) => good("ready", "calls from every chosen queue are limited"),
    };
    findings.push((ConditionType::Ready, ready));
    dated(findings, old, now)
}

fn dated(
    findings: Vec<(ConditionType, Finding)>,
    old: &[Condition],
    now: Timestamp,
) -> Vec<Condition> {
    findings
        .into_iter()
        .map(|(kind, (status, reason, message))| Condition {
            kind,
            status,
            reason,
            message,
            last_transition_at: old
                .iter()
                .find(|condition| condition.kind == kind && condition.status == status)
                .map_or(now, |condition| condition.last_transition_at),
        })
        .collect()
}

/// Whether trying again is useless until somebody changed something.
fn needs_somebody(err: &StepError) -> bool {
    match err {
        StepError::Aws(err) => !err.is_retryable(),
        StepError::Gone => true,
        StepError::Store(_) | StepError::Changed(_) | StepError::Stopped | StepError::LeaseLost => {
            false
        }
    }
}

/// Reason and message of a failure.
#[must_use]
pub fn words(err: &StepError) -> (String, String) {
    let (reason, message) = match err {
        StepError::Aws(err) => aws_words(err),
        StepError::Store(_) => (
            "internal",
            "Ringfence could not reach its database; it tries again".to_owned(),
        ),
        StepError::Changed(what) => (
            "changed_meanwhile",
            format!("{what}; Ringfence looks again"),
        ),
        StepError::Gone => (
            "instance_not_found",
            "the instance does not exist any more; uninstall it here".to_owned(),
        ),
        StepError::Stopped | StepError::LeaseLost => {
            ("in_progress", "another worker goes on".to_owned())
        }
    };
    (reason.to_owned(), message)
}

fn aws_words(err: &AwsError) -> (&'static str, String) {
    match &err.kind {
        AwsErrorKind::AccessDenied if err.action == "sts:AssumeRole" => (
            "role_not_assumable",
            "the installer role cannot be assumed any more; deploy the template again, then verify the instance".to_owned(),
        ),
        AwsErrorKind::AccessDenied if err.action.starts_with("connect:") => (
            "permission_missing",
            format!("the installer role lacks {0}; add {0} as the template has it", err.action),
        ),
        AwsErrorKind::AccessDenied => (
            "operator_permission_missing",
            format!("Ringfence's own role lacks {}; the operator has to add it", err.action),
        ),
        AwsErrorKind::InvalidFlow(problems) => (
            "flow_refused",
            format!("Amazon Connect refused the flow: {}", problems.join("; ")),
        ),
        AwsErrorKind::LimitExceeded => ("quota_used_up", format!("{err}; raise the quota or make room")),
        AwsErrorKind::Throttled => ("throttled", "Amazon Connect throttles this account; Ringfence tries again".to_owned()),
        AwsErrorKind::Transient => ("unavailable", format!("{err}; Ringfence tries again")),
        AwsErrorKind::NotFound => ("not_found", err.to_string()),
        AwsErrorKind::Duplicate
        | AwsErrorKind::Invalid
        | AwsErrorKind::ConditionFailed
        | AwsErrorKind::StreamPositionLost => ("request_refused", err.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(action: &'static str) -> StepError {
        StepError::Aws(AwsError {
            action,
            kind: AwsErrorKind::AccessDenied,
            message: String::new(),
        })
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

    #[test]
    fn a_missing_permission_is_named_and_blocks() {
        let plan = Plan {
            steps: vec![Step::GrantPermission, Step::Publish],
            ..Plan::default()
        };
        let err = denied("connect:CreateContactFlow");
        let pass = Pass {
            installed_wanted: true,
            plan: &plan,
            failure: Some((&Step::Publish, &err)),
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
            plan: &plan,
            failure: None,
        };
        let first = assess(&pass, &[], now());
        let later: Timestamp = "2026-01-02T00:00:00Z".parse().expect("a time");
        let second = assess(&pass, &first.conditions, later);
        assert_eq!(of(&second, ConditionType::Ready).last_transition_at, now());
        let err = denied("sts:AssumeRole");
        let third = assess_unseen(true, &err, &second.conditions, later);
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
}
