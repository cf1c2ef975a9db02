//! Which calls of an instance the limiter never sees: from queues that agents can dial from and that do not run our
//! whisper, and by ways that run no whisper at all. Pure: what was read of the instance, beside what is known to be installed.

mod ahead;
mod installed;
mod ways_round;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::coverage::{DialProfile, DialQueue};
use crate::domain::installation::QueueState;

pub use ahead::{Ahead, ahead};
pub use installed::Installed;
pub use ways_round::{WayRound, ways_round};

/// Whose agents can dial from a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialledBy {
    pub profile_id: String,
    pub profile_name: String,
    /// Where the profile's agents dial from unless they choose.
    pub is_default: bool,
}

/// A queue that agents can dial from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialledQueue {
    pub queue_id: String,
    pub name: String,
    pub covered: bool,
    /// What a queue that is not covered ran at `whisper_read_at`; none: Connect's default, or nobody ever read it.
    pub whisper_flow_id: Option<String>,
    pub whisper_read_at: Option<Timestamp>,
    pub dialled_by: Vec<DialledBy>,
    /// Why a queue is not covered, and what to do about it.
    pub gap: Option<Gap>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    pub reason: String,
    pub fix: &'static str,
}

/// The queues that agents can dial from, those that are not covered first.
#[must_use]
pub fn dialled_queues(
    profiles: &[DialProfile],
    queues: &[DialQueue],
    installed: &Installed,
) -> Vec<DialledQueue> {
    let mut by_queue = dialled_by(profiles);
    let dialled = queues.iter().filter_map(|queue| {
        // What profiles name besides: agents' own queues, and those that went meanwhile.
        let dialled_by = by_queue.remove(&queue.id)?;
        let covered = installed.covers(&queue.id);
        Some(DialledQueue {
            queue_id: queue.id.clone(),
            name: queue.name.clone(),
            covered,
            whisper_flow_id: queue.whisper_flow_id.clone().filter(|_| !covered),
            whisper_read_at: queue.read_at.filter(|_| !covered),
            dialled_by,
            gap: (!covered).then(|| gap(&queue.id, installed)),
        })
    });
    let mut found: Vec<DialledQueue> = dialled.collect();
    found.sort_by(|a, b| (a.covered, &a.name, &a.queue_id).cmp(&(b.covered, &b.name, &b.queue_id)));
    found
}

fn dialled_by(profiles: &[DialProfile]) -> BTreeMap<String, Vec<DialledBy>> {
    let mut by_queue: BTreeMap<String, Vec<DialledBy>> = BTreeMap::new();
    for profile in profiles {
        for queue_id in profile.queues() {
            by_queue
                .entry(queue_id.clone())
                .or_default()
                .push(DialledBy {
                    profile_id: profile.id.clone(),
                    profile_name: profile.name.clone(),
                    is_default: profile.default_queue_id.as_ref() == Some(queue_id),
                });
        }
    }
    by_queue
}

fn gap(queue_id: &str, installed: &Installed) -> Gap {
    let Some(request) = &installed.request else {
        return Gap {
            reason: "nothing is installed in this instance".to_owned(),
            fix: "Install Ringfence.",
        };
    };
    let known = installed.queues.get(queue_id);
    let told = known.map(|queue| queue.detail.clone());
    let told = told.filter(|detail| !detail.is_empty());
    if !request.queues.covers(queue_id) {
        return Gap {
            reason: "the installation does not name this queue".to_owned(),
            fix: "Add it to the installation's queues, choose all of them, or take it out of the routing profiles.",
        };
    }
    let (reason, fix) = match known.map(|queue| queue.state) {
        Some(QueueState::Refused) => (
            "the queue was refused",
            "Choose existing_whisper merge or replace, or change the whisper as the reason says.",
        ),
        Some(QueueState::LeftAlone) => (
            "somebody gave the queue another whisper",
            "Point the queue back at Ringfence's whisper, or install again, with another existing_whisper where the reason says so.",
        ),
        Some(QueueState::Attached) if installed.runs_changed(queue_id) => (
            "somebody changed the whisper of ours that the queue runs",
            "Install again to have it published anew. Where the whisper behind it was deleted, give the queue another one first.",
        ),
        _ => (
            "the whisper is not attached yet",
            "Wait for the installation, or look at its conditions.",
        ),
    };
    Gap {
        reason: told.unwrap_or_else(|| reason.to_owned()),
        fix,
    }
}

#[cfg(test)]
mod tests;
