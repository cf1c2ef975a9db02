//! Why a step failed, in words for programs and for people. Pure.

use crate::aws::{AwsError, AwsErrorKind};

use super::super::execute::StepError;

/// Whether trying again is useless until somebody changed something.
pub(super) fn needs_somebody(err: &StepError) -> bool {
    match err {
        StepError::Aws(err) | StepError::Fallback(err) => !err.is_retryable(),
        StepError::Gone | StepError::Archived(_) => true,
        StepError::Store(_)
        | StepError::Changed(_)
        | StepError::Stopped
        | StepError::CutOff
        | StepError::LeaseLost => false,
    }
}

/// Reason and message of a failure.
#[must_use]
pub fn words(err: &StepError) -> (String, String) {
    let (reason, message) = match err {
        StepError::Aws(err) => aws_words(err),
        StepError::Fallback(err) => fallback_words(err),
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
        StepError::Archived(name) => (
            "flow_archived",
            format!(
                "the flow \"{name}\" is in the archive; take it out of there, or delete it: it is then made anew"
            ),
        ),
        StepError::Stopped | StepError::CutOff | StepError::LeaseLost => {
            ("in_progress", "another worker goes on".to_owned())
        }
    };
    (reason.to_owned(), message)
}

/// Calls are limited meanwhile; what is missing is only what happens when the limiter gives no answer.
fn fallback_words(err: &AwsError) -> (&'static str, String) {
    match &err.kind {
        AwsErrorKind::NotFound => (
            "fallback_not_found",
            "the fallback function is not there, so that calls go out when the limiter gives no answer; deploy \
             customer-fallback.yaml in the instance's region, or choose on_limiter_unavailable allow"
                .to_owned(),
        ),
        AwsErrorKind::AccessDenied if err.action.starts_with("lambda:") => (
            "permission_missing",
            format!(
                "the installer role lacks {0} on the fallback function; add {0} as the template has it",
                err.refused_action()
            ),
        ),
        _ => aws_words(err),
    }
}

fn aws_words(err: &AwsError) -> (&'static str, String) {
    match &err.kind {
        AwsErrorKind::AccessDenied if err.action == "sts:AssumeRole" => (
            "role_not_assumable",
            "the installer role cannot be assumed any more; deploy the template again, then verify the instance".to_owned(),
        ),
        AwsErrorKind::AccessDenied if err.action.starts_with("connect:") => (
            "permission_missing",
            format!("the installer role lacks {0}; add {0} as the template has it", err.refused_action()),
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
        AwsErrorKind::Transient | AwsErrorKind::NotSent => ("unavailable", format!("{err}; Ringfence tries again")),
        AwsErrorKind::NotFound | AwsErrorKind::NotPublished => ("not_found", err.to_string()),
        AwsErrorKind::Duplicate
        | AwsErrorKind::Invalid
        | AwsErrorKind::ConditionFailed
        | AwsErrorKind::StreamPositionLost => ("request_refused", err.to_string()),
    }
}
