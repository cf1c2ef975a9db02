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
    /// Of the look at the instance that comes before the steps: queues that were read. Null: no look is under way.
    #[schema(example = json!(null))]
    pub looked: Option<usize>,
    /// Queues that the look reads in all.
    #[schema(example = json!(null))]
    pub to_look: Option<usize>,
    /// How long the steps that are known to be left, or the rest of the look, take at the pace that the account is asked at,
    /// in seconds; null when none are known.
    #[schema(example = 84)]
    pub seconds_left: Option<u64>,
}

pub(super) fn progress(
    steps: &[InstallationStep],
    queues: &[InstallationQueue],
    look: Option<(usize, usize)>,
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
    let (looked, to_look) = look.unzip();
    // The look tells which steps there are: those of the one before are over.
    let left = match look {
        Some((done, total)) => u32::try_from(total.saturating_sub(done)).unwrap_or(u32::MAX),
        None => left,
    };
    let is_pending = done < steps.len() || look.is_some();
    let interval = Duration::from_secs_f64(1.0 / requests_per_second.max(0.01));
    ProgressBody {
        done,
        total: steps.len(),
        queues_done: queues
            .iter()
            .filter(|queue| queue.state != QueueState::Pending)
            .count(),
        queues_total: queues.len(),
        looked,
        to_look,
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
        let told = progress(&steps, &[], None, 1.0);
        assert_eq!((told.done, told.total), (2, 5));
        assert_eq!(told.seconds_left, Some(7));
        assert_eq!(progress(&steps, &[], None, 0.5).seconds_left, Some(14));
        let done = [step("publish", StepStatus::Done)];
        assert_eq!(progress(&done, &[], None, 1.0).seconds_left, None);
        let looking = progress(&done, &[], Some((120, 1000)), 1.0);
        assert_eq!(looking.seconds_left, Some(880));
        assert_eq!((looking.looked, looking.to_look), (Some(120), Some(1000)));
    }
}
