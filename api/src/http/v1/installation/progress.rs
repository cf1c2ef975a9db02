//! How far an installation has come, and how long the rest may take.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::installation::{QueueState, StepStatus};
use crate::store::{InstallationQueue, InstallationStep};

#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Progress)]
pub(super) struct ProgressBody {
    /// Steps.
    #[schema(example = 14)]
    pub done: usize,
    #[schema(example = 60)]
    pub total: usize,
    /// Queues that are where they should be, or out of Ringfence's hands.
    #[schema(example = 12)]
    pub queues_done: usize,
    #[schema(example = 40)]
    pub queues_total: usize,
    /// How long the steps that are known to be left take at the pace that the account is asked at, in seconds; null when
    /// none are known.
    #[schema(example = 84)]
    pub seconds_left: Option<u64>,
}

pub(super) fn progress(
    steps: &[InstallationStep],
    queues: &[InstallationQueue],
    requests_per_second: f64,
) -> ProgressBody {
    let done = steps
        .iter()
        .filter(|step| step.status == StepStatus::Done)
        .count();
    let left: u32 = steps
        .iter()
        .filter(|step| step.status != StepStatus::Done)
        .map(|step| requests(&step.name))
        .sum();
    let is_pending = done < steps.len();
    let interval = Duration::from_secs_f64(1.0 / requests_per_second.max(0.01));
    ProgressBody {
        done,
        total: steps.len(),
        queues_done: queues
            .iter()
            .filter(|queue| queue.state != QueueState::Pending)
            .count(),
        queues_total: queues.len(),
        seconds_left: is_pending.then(|| (interval * left).as_secs_f64().ceil() as u64),
    }
}

/// Requests to Connect, whose pace is what takes the time: a flow is read again after it was published, a queue before
/// and after it was changed.
fn requests(step: &str) -> u32 {
    match step {
        "attach_queue" | "restore_queue" => 3,
        "create_flow" | "update_flow" => 2,
        "delete_flow" => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn step(name: &str, status: StepStatus) -> InstallationStep {
        InstallationStep {
            position: 1,
            name: name.to_owned(),
            target: "Sales".to_owned(),
            status,
            detail: String::new(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_is_left_takes_as_long_as_its_requests_at_the_agreed_pace() {
        let steps = [
            step("grant_permission", StepStatus::Done),
            step("create_flow", StepStatus::Done),
            step("attach_queue", StepStatus::Pending),
            step("attach_queue", StepStatus::Pending),
            step("delete_flow", StepStatus::Pending),
        ];
        let told = progress(&steps, &[], 1.0);
        assert_eq!((told.done, told.total), (2, 5));
        assert_eq!(told.seconds_left, Some(7));
        assert_eq!(progress(&steps, &[], 0.5).seconds_left, Some(14));
        let done = [step("publish", StepStatus::Done)];
        assert_eq!(progress(&done, &[], 1.0).seconds_left, None);
    }
}
