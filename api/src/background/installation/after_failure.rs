//! Which steps may still be done when one has failed. Pure.

use crate::aws::AwsErrorKind;

use super::conditions::words;
use super::desired::FlowKey;
use super::execute::StepError;
use super::plan::Step;

/// More that fail for the moment are no matter of single queues and whispers: the service is down.
const PASSING_MAX: usize = 3;

/// Whether that step has to wait because of what failed, or waits, before it.
pub(super) fn is_held_back(
    failures: &[(&Step, StepError)],
    held_back: &[&Step],
    later: &Step,
) -> bool {
    let waits_for = |(failed, err): &(&Step, StepError)| {
        !fails_alone(failed, err) || needs(later, failed) || finds_no_room(later, failed, err)
    };
    let passing = failures.iter().filter(|(_, err)| is_passing(err)).count();
    passing > PASSING_MAX
        || failures.iter().any(waits_for)
        || held_back.iter().any(|held| needs_its_flow(later, held))
}

/// What is told of each queue that stays behind, by its id.
pub(super) fn queues_told(
    failures: &[(&Step, StepError)],
    held_back: &[&Step],
) -> Vec<(String, String)> {
    let failed = failures.iter().filter_map(|(step, err)| match step {
        Step::AttachQueue { queue_id, .. } | Step::RestoreQueue { queue_id, .. } => {
            Some((queue_id.clone(), of_one_queue(err)))
        }
        _ => None,
    });
    let waiting = held_back.iter().filter_map(|later| match later {
        Step::AttachQueue { queue_id, .. } => {
            let err = flow_failure(failures, held_back, later)?;
            Some((
                queue_id.clone(),
                format!("waits for its whisper flow: {}", words(err).1),
            ))
        }
        _ => None,
    });
    failed.chain(waiting).collect()
}

/// The role may have the permission, and be denied it for this queue.
fn of_one_queue(err: &StepError) -> String {
    let told = words(err).1;
    match err {
        StepError::Aws(refusal) if refusal.kind == AwsErrorKind::AccessDenied => format!(
            "{told}; where other queues take the change, a policy of yours denies it for this one"
        ),
        _ => told,
    }
}

/// Why the flow that this queue is to run is not there.
fn flow_failure<'a>(
    failures: &'a [(&Step, StepError)],
    held_back: &[&Step],
    attach: &Step,
) -> Option<&'a StepError> {
    let of_its_own = failures
        .iter()
        .find(|(failed, _)| needs_its_flow(attach, failed));
    let held = || {
        let flow = held_back.iter().find(|held| needs_its_flow(attach, held))?;
        let of_another = |(failed, err): &&(&Step, StepError)| finds_no_room(flow, failed, err);
        failures.iter().find(of_another)
    };
    of_its_own.or_else(held).map(|(_, err)| err)
}

fn is_passing(err: &StepError) -> bool {
    matches!(err, StepError::Aws(err) if matches!(err.kind, AwsErrorKind::Transient | AwsErrorKind::NotSent))
}

/// It is about one whisper or one queue: others are none the worse for it. A throttle is about all.
fn fails_alone(failed: &Step, err: &StepError) -> bool {
    let is_of_one = match failed {
        Step::CreateFlow { key, .. } | Step::UpdateFlow { key, .. } => *key != FlowKey::Notice,
        Step::AttachQueue { .. } | Step::RestoreQueue { .. } => true,
        _ => false,
    };
    let is_about_it = match err {
        // A role that lets nobody in does so for every step.
        StepError::Aws(err) => {
            err.kind != AwsErrorKind::Throttled && err.action.starts_with("connect:")
        }
        StepError::Changed(_) | StepError::Archived(_) => true,
        _ => false,
    };
    is_of_one && is_about_it
}

/// It needs the other one's flow, or takes away what a queue or flow that stayed behind may need.
fn needs(later: &Step, failed: &Step) -> bool {
    needs_its_flow(later, failed) || takes_away(later)
}

fn needs_its_flow(later: &Step, before: &Step) -> bool {
    match (before, later) {
        (Step::CreateFlow { key: made, .. }, Step::AttachQueue { key, .. }) => made == key,
        _ => false,
    }
}

/// A quota that one more flow was too much for.
fn finds_no_room(later: &Step, failed: &Step, err: &StepError) -> bool {
    let is_used_up = matches!(err, StepError::Aws(err) if err.kind == AwsErrorKind::LimitExceeded);
    let makes_flow = |step: &Step| matches!(step, Step::CreateFlow { .. });
    is_used_up && makes_flow(failed) && makes_flow(later)
}

fn takes_away(later: &Step) -> bool {
    matches!(
        later,
        Step::DeleteFlow { .. }
            | Step::Unpublish
            | Step::RevokePermission
            | Step::AwaitCalls
            | Step::LeaveFunction { .. }
            | Step::RevokeFallback { .. }
    )
}
