//! Which calls of an instance the limiter never sees: from queues that agents can dial from and that do not run our
//! whisper, and by ways that run no whisper at all.
//!
//! Failure: a permission that is missing is named, and the rest is told all the same; whatever else Connect answers is
//! passed on, since half a list would look like full coverage.

mod ways_round;

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{AwsError, AwsErrorKind, ConnectInstance, SdkConnectInstance};
use crate::domain::installation::{InstallationRequest, QueueState};
use crate::store::InstallationQueue;

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
    /// What a queue that is not covered runs; none: Connect's default.
    pub whisper_flow_id: Option<String>,
    pub dialled_by: Vec<DialledBy>,
    /// Why a queue is not covered, and what to do about it.
    pub gap: Option<Gap>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    pub reason: String,
    pub fix: &'static str,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    pub queues: Vec<DialledQueue>,
    /// Without these not every queue could be found.
    pub missing_permissions: Vec<&'static str>,
}

impl Coverage {
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing_permissions.is_empty() && self.queues.iter().all(|queue| queue.covered)
    }
}

/// What Ringfence knows of the instance, as of its last look.
#[derive(Debug, Clone)]
pub struct Installed {
    pub request: Option<InstallationRequest>,
    pub queues: BTreeMap<String, InstallationQueue>,
    /// Ids of our whispers.
    pub whispers: BTreeSet<String>,
}

/// Reads routing profiles and, of the queues that are not known to be covered, what they run.
pub async fn coverage(
    connect: &SdkConnectInstance,
    installed: &Installed,
) -> Result<Coverage, AwsError> {
    let mut coverage = Coverage::default();
    let Some(dialled_by) = unless_denied(dialled_by(connect).await, &mut coverage)? else {
        return Ok(coverage);
    };
    let Some(queues) = unless_denied(connect.queues().await, &mut coverage)? else {
        return Ok(coverage);
    };
    let names: BTreeMap<String, String> = queues
        .into_iter()
        .map(|queue| (queue.id, queue.name))
        .collect();
    for (queue_id, dialled_by) in dialled_by {
        // An agent's own queue, or one that went meanwhile.
        let Some(name) = names.get(&queue_id) else {
            continue;
        };
        let known = installed.queues.get(&queue_id);
        let mut queue = DialledQueue {
            covered: known.is_some_and(|queue| queue.state == QueueState::Attached),
            name: name.clone(),
            whisper_flow_id: None,
            dialled_by,
            gap: None,
            queue_id,
        };
        if !queue.covered {
            let answer = connect.queue(&queue.queue_id).await;
            if let Some(now) = unless_denied(answer, &mut coverage)? {
                queue.whisper_flow_id = now.outbound.flow_id;
            }
            let runs_ours = |id: &String| installed.whispers.contains(id);
            queue.covered = queue.whisper_flow_id.as_ref().is_some_and(runs_ours);
            queue.gap = (!queue.covered).then(|| gap(&queue.queue_id, installed));
        }
        coverage.queues.push(queue);
    }
    coverage
        .queues
        .sort_by(|a, b| (a.covered, &a.name, &a.queue_id).cmp(&(b.covered, &b.name, &b.queue_id)));
    Ok(coverage)
}

type ByQueue = BTreeMap<String, Vec<DialledBy>>;

async fn dialled_by(connect: &SdkConnectInstance) -> Result<ByQueue, AwsError> {
    let mut by_queue = ByQueue::new();
    for profile in connect.routing_profiles().await? {
        let default = match connect.default_outbound_queue(&profile.id).await {
            Err(err) if err.kind == AwsErrorKind::NotFound => continue,
            default => default?,
        };
        let queues: BTreeSet<String> = connect
            .routing_profile_queues(&profile.id)
            .await?
            .into_iter()
            .chain(default.clone())
            .collect();
        for queue_id in queues {
            let is_default = default.as_ref() == Some(&queue_id);
            by_queue.entry(queue_id).or_default().push(DialledBy {
                profile_id: profile.id.clone(),
                profile_name: profile.name.clone(),
                is_default,
            });
        }
    }
    Ok(by_queue)
}

/// Notes a permission that is missing; any other failure is passed on.
fn unless_denied<T>(
    answer: Result<T, AwsError>,
    coverage: &mut Coverage,
) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(err) if err.kind == AwsErrorKind::AccessDenied => {
            if !coverage.missing_permissions.contains(&err.action) {
                coverage.missing_permissions.push(err.action);
            }
            Ok(None)
        }
        Err(err) => Err(err),
    }
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
            "Install again to mend it, or choose drift mend.",
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
