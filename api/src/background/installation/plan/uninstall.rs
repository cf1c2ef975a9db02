//! The steps that take everything of ours away.

use crate::domain::installation::QueueState;

use super::super::desired::{Desired, Remembered};
use super::super::observed::Observed;
use super::flows::delete_step;
use super::queues::{given_back, restore_step};
use super::unread::unread_queues;
use super::{Plan, QueueOutcome, Step};

/// The plan when the instance is gone, or was given up: only our own side is left to clear.
#[must_use]
pub fn plan_without_instance(
    desired: &Desired,
    remembered: &Remembered,
    permission_granted: bool,
) -> Plan {
    let mut plan = Plan::default();
    for (queue_id, queue) in &remembered.queues {
        plan.queues.push(QueueOutcome {
            queue_id: queue_id.clone(),
            name: queue.name.clone(),
            key: None,
            state: QueueState::LeftAlone,
            detail: "out of reach: the instance is gone, or the removal was given up".to_owned(),
        });
    }
    clear_our_side(&mut plan, desired, remembered, permission_granted);
    plan
}

pub(super) fn uninstall(desired: &Desired, remembered: &Remembered, observed: &Observed) -> Plan {
    let mut plan = Plan::default();
    for queue in &observed.queues {
        let is_ours = queue
            .outbound
            .flow_id
            .as_deref()
            .is_some_and(|id| observed.is_ours(id));
        let (state, detail) = match remembered.queues.get(&queue.id) {
            _ if is_ours => {
                plan.steps.push(restore_step(queue, remembered, observed));
                (QueueState::Pending, String::new())
            }
            Some(before) if before.attached => match given_back(queue, before, observed) {
                // It was about to be attached, or put back already.
                Some(told) => (QueueState::Restored, told),
                None => (
                    QueueState::LeftAlone,
                    "points at another whisper since".to_owned(),
                ),
            },
            Some(_) | None => continue,
        };
        plan.queues.push(QueueOutcome {
            queue_id: queue.id.clone(),
            name: queue.name.clone(),
            key: None,
            state,
            detail,
        });
    }
    if has_flows(remembered, observed) {
        plan.unknown = unread_queues(remembered, observed);
    }
    if !plan.unknown.is_empty() {
        // Any of them may run a flow of ours.
        return plan;
    }
    let whispers_first = observed
        .flows
        .values()
        .rev()
        .chain(&observed.surplus)
        .map(delete_step);
    plan.steps.extend(whispers_first);
    clear_our_side(&mut plan, desired, remembered, observed.permission_granted);
    plan
}

/// A flow of ours is there, or was, that a queue may name.
fn has_flows(remembered: &Remembered, observed: &Observed) -> bool {
    let is_there = !observed.flows.is_empty() || !observed.surplus.is_empty();
    let is_known = !remembered.flows.is_empty() || !remembered.deleted.is_empty();
    is_there || is_known || !observed.untagged.is_empty()
}

fn clear_our_side(
    plan: &mut Plan,
    desired: &Desired,
    remembered: &Remembered,
    permission_granted: bool,
) {
    if remembered.known_to_limiters {
        plan.steps.push(Step::Unpublish);
    }
    if permission_granted {
        plan.steps.push(Step::RevokePermission);
    }
    if let Some(leaving) = &desired.leaving {
        plan.steps.push(Step::LeaveFunction {
            function_arn: leaving.function_arn.clone(),
        });
    }
    if let Some(function_arn) = &remembered.fallback_arn {
        plan.steps.push(Step::RevokeFallback {
            function_arn: function_arn.clone(),
        });
    }
}
