//! Which steps may still be done when one has failed. Pure.

use crate::aws::AwsErrorKind;

use super::conditions::words;
use super::desired::FlowKey;
use super::execute::StepError;
use super::plan::Step;

/// Whether that step has to wait because this one failed so.
pub(super) fn is_held_back(failed: &Step, err: &StepError, later: &Step) -> bool {
    !fails_alone(failed, err) || needs(later, failed)
}

/// What is told of each queue that stays behind, by its id.
pub(super) fn queues_told(
    failures: &[(&Step, StepError)],
    held_back: &[&Step],
) -> Vec<(String, String)> {
    let failed = failures.iter().filter_map(|(step, err)| match step {
        Step::AttachQueue { queue_id, .. } | Step::RestoreQueue { queue_id, .. } => {
            Some((queue_id.clone(), words(err).1))
        }
        _ => None,
    });
    let waiting = held_back.iter().filter_map(|later| match later {
        Step::AttachQueue { queue_id, .. } => {
            let (_, err) = failures.iter().find(|(failed, _)| needs(later, failed))?;
            Some((
                queue_id.clone(),
                format!("waits for its whisper flow: {}", words(err).1),
            ))
        }
        _ => None,
    });
    failed.chain(waiting).collect()
}

/// It is about one whisper or one queue: others are none the worse for it.
fn fails_alone(failed: &Step, err: &StepError) -> bool {
    let is_of_one = match failed {
        Step::CreateFlow { key, .. } | Step::UpdateFlow { key, .. } => *key != FlowKey::Notice,
        Step::AttachQueue { .. } | Step::RestoreQueue { .. } => true,
        _ => false,
    };
    let is_about_it = match err {
        StepError::Aws(err) => matches!(
            err.kind,
            AwsErrorKind::InvalidFlow(_) | AwsErrorKind::Invalid | AwsErrorKind::NotFound
        ),
        StepError::Changed(_) | StepError::Archived(_) => true,
        _ => false,
    };
    is_of_one && is_about_it
}

/// It needs the other one's flow, or takes away what a queue or flow that stayed behind may need.
fn needs(later: &Step, failed: &Step) -> bool {
    match (failed, later) {
        (Step::CreateFlow { key: made, .. }, Step::AttachQueue { key, .. }) => made == key,
        (_, later) => matches!(
            later,
            Step::DeleteFlow { .. }
                | Step::Unpublish
                | Step::RevokePermission
                | Step::AwaitCalls
                | Step::LeaveFunction { .. }
                | Step::RevokeFallback { .. }
        ),
    }
}
