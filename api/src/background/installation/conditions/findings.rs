//! What holds for flows and queues after a pass. Pure.

use crate::domain::drift::{Difference, DriftKind};
use crate::domain::installation::{ConditionStatus, QueueState};

use super::super::plan::{Obstacle, Plan, Step, Unknown};
use super::Pass;
use super::words::words;

/// Status, reason and message of one condition.
pub(super) type Finding = (ConditionStatus, String, String);

pub(super) fn good(reason: &str, message: &str) -> Finding {
    (ConditionStatus::True, reason.to_owned(), message.to_owned())
}

pub(super) fn bad(reason: &str, message: String) -> Finding {
    (ConditionStatus::False, reason.to_owned(), message)
}

/// Where the instance stands among the limiter functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardStanding {
    Settled,
    Moving,
    /// Its function is being drained, and no other has room.
    Stranded,
}

/// It is limited in any case.
pub(super) fn shard_finding(shard: ShardStanding) -> Finding {
    match shard {
        ShardStanding::Settled => good("assigned", "a limiter function serves this instance"),
        ShardStanding::Moving => good(
            "moving",
            "the instance moves to another limiter function; both serve it until calls that began before are over",
        ),
        ShardStanding::Stranded => good(
            "draining_without_room",
            "the limiter function that serves this instance is being drained, and no other one of the region has room; the operator has to add one",
        ),
    }
}

pub(super) fn is_flow_step(step: &Step) -> bool {
    matches!(
        step,
        Step::CreateFlow { .. } | Step::UpdateFlow { .. } | Step::Publish
    )
}

pub(super) fn is_queue_step(step: &Step) -> bool {
    matches!(
        step,
        Step::AttachQueue { .. } | Step::RestoreQueue { .. } | Step::DeleteFlow { .. }
    )
}

/// What holds for the steps of one kind: the failure among them, that they wait for an earlier one, or `done`.
pub(super) fn step_finding(
    pass: &Pass<'_>,
    of_this_kind: fn(&Step) -> bool,
    done: impl FnOnce() -> Finding,
) -> Finding {
    if let Some((_, err)) = pass.failures.iter().find(|(step, _)| of_this_kind(step)) {
        let (reason, message) = words(err);
        return bad(&reason, message);
    }
    if pass.held_back.iter().any(|step| of_this_kind(step)) {
        bad("in_progress", "waits for an earlier step".to_owned())
    } else {
        done()
    }
}

/// Reason of what waits for something of the customer's that cannot be read.
pub(super) const UNREADABLE: &str = "unreadable";
/// Told one by one before the rest is only counted.
const UNKNOWN_TOLD_MAX: usize = 3;

pub(super) fn unknown_told(plan: &Plan, is_meant: fn(&Unknown) -> bool) -> String {
    let told = plan.unknown.iter().filter(|unknown| is_meant(unknown));
    let told: Vec<String> = told.map(Unknown::told).collect();
    match told.get(..UNKNOWN_TOLD_MAX) {
        Some(first) if told.len() > UNKNOWN_TOLD_MAX => {
            let more = told.len() - UNKNOWN_TOLD_MAX;
            format!("{}; and {more} more", first.join("; "))
        }
        _ => told.join("; "),
    }
}

pub(super) fn flows_finding(plan: &Plan) -> Finding {
    for obstacle in &plan.obstacles {
        match obstacle {
            Obstacle::NameTaken(name) => {
                let message = format!(
                    "the instance has a flow \"{name}\" that this installation did not make (or that lost its tags); rename or delete it"
                );
                return bad("flow_name_taken", message);
            }
            Obstacle::UnknownQueues(_) => {}
        }
    }
    let unread = unknown_told(plan, |unknown| matches!(unknown, Unknown::Original { .. }));
    let left = plan.drift.iter().find(|difference| {
        let is_flow = matches!(
            difference.kind,
            DriftKind::FlowEdited | DriftKind::FlowDeleted
        );
        is_flow && !difference.mended
    });
    if !unread.is_empty() {
        let meanwhile = left.map_or_else(
            || "a copy that is there goes on as it was".to_owned(),
            Difference::told,
        );
        return bad(UNREADABLE, format!("{unread}; {meanwhile}"));
    }
    match left {
        Some(difference) if plan.is_uncompared(difference) => {
            let told = difference.told();
            bad(
                "drifted",
                format!("{told}; it cannot be put right while something cannot be read"),
            )
        }
        Some(difference) if plan.orphans.contains(&difference.name) => {
            let told = difference.told();
            bad(
                "drifted",
                format!(
                    "{told}, and cannot be made anew: the whisper behind it is gone; give its queues another one"
                ),
            )
        }
        Some(difference) => {
            let told = difference.told();
            bad("drifted", format!("{told}; install again to mend it"))
        }
        None if plan.orphans.is_empty() => good("installed", "the flows are published"),
        None => {
            let names = plan.orphans.join("\", \"");
            let message = format!(
                "the flows are published; the whisper behind \"{names}\" is gone, so that what was changed since is not in there"
            );
            (ConditionStatus::True, "installed".to_owned(), message)
        }
    }
}

pub(super) fn queues_finding(plan: &Plan) -> Finding {
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
    let unread = unknown_told(plan, |unknown| matches!(unknown, Unknown::Queue { .. }));
    if !unread.is_empty() {
        return bad(UNREADABLE, format!("{unread}; it stays as it is"));
    }
    let refused = names(QueueState::Refused);
    if !refused.is_empty() {
        return bad("queues_refused", refused.join("; "));
    }
    let left_alone = names(QueueState::LeftAlone);
    if !left_alone.is_empty() {
        return bad("drifted", left_alone.join("; "));
    }
    if is_obstructed(plan) || plan.has_queue_without_flow() {
        return bad("in_progress", "waits for the whisper flows".to_owned());
    }
    good("attached", "every chosen queue runs the whisper")
}

pub(super) fn is_obstructed(plan: &Plan) -> bool {
    !plan.obstacles.is_empty()
        || plan
            .queues
            .iter()
            .any(|queue| queue.state == QueueState::Refused)
}
