//! What a removal has to say besides: what is still there when it cannot go on, or when it was given up. Pure.

use super::super::desired::Remembered;
use super::super::plan::Plan;
use super::Assessment;
use crate::domain::installation::{Condition, ConditionStatus, InstallationState};

/// Names that are told before the rest is only counted.
const TOLD_MAX: usize = 5;

/// Adds to a removal's assessment what is left of ours, and the way out.
#[must_use]
pub fn removal_told(
    mut assessment: Assessment,
    remembered: &Remembered,
    abandoned: bool,
) -> Assessment {
    match assessment.state {
        InstallationState::Blocked => {
            let more = format!(
                "; still there: {}. If it cannot be mended, remove with abandon=true: Ringfence's own side is cleared then, and this stays",
                remains(remembered)
            );
            let unmet = |condition: &&mut Condition| condition.status != ConditionStatus::True;
            for condition in assessment.conditions.iter_mut().filter(unmet) {
                condition.message.push_str(&more);
            }
        }
        InstallationState::Uninstalled if abandoned => {
            for condition in &mut assessment.conditions {
                "abandoned".clone_into(&mut condition.reason);
                condition.message = format!(
                    "the removal was given up; left in the instance: {}",
                    remains(remembered)
                );
            }
        }
        _ => {}
    }
    assessment
}

/// What lost our tags may have become the customer's own: it is left, and told.
pub(super) fn uninstalled_told(plan: &Plan) -> String {
    let nothing = "nothing of Ringfence is left in the instance";
    match told("the flows", &plan.untagged) {
        None => nothing.to_owned(),
        Some(left) => format!(
            "{nothing} but {left}, which lost Ringfence's tags and were not touched; no queue runs them any more, delete them by hand"
        ),
    }
}

fn remains(remembered: &Remembered) -> String {
    let queues: Vec<String> = remembered
        .queues
        .values()
        .filter(|queue| queue.attached)
        .map(|queue| format!("\"{}\"", queue.name))
        .collect();
    let flows: Vec<String> = remembered
        .flows
        .values()
        .map(|flow| flow.flow_id.clone())
        .collect();
    let fallback: Vec<String> = remembered.fallback_arn.iter().cloned().collect();
    let parts: Vec<String> = [
        told("our whisper on the queues", &queues),
        told("the flows", &flows),
        told("the instance's permission to invoke", &fallback),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        "nothing that Ringfence knows of".to_owned()
    } else {
        parts.join(", ")
    }
}

fn told(what: &str, names: &[String]) -> Option<String> {
    let some = names.get(..TOLD_MAX.min(names.len()))?.join(", ");
    match names.len() {
        0 => None,
        count if count > TOLD_MAX => Some(format!("{what} {some} and {} more", count - TOLD_MAX)),
        _ => Some(format!("{what} {some}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut_short_and_counted() {
        let names: Vec<String> = (1..=7).map(|number| number.to_string()).collect();
        assert_eq!(told("the flows", &[]), None);
        assert_eq!(
            told("the flows", &names).as_deref(),
            Some("the flows 1, 2, 3, 4, 5 and 2 more")
        );
    }
}
