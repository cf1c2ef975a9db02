//! What is true of an installation after a pass, in words that say what to do about it. Pure.
//!
//! Invariant: a condition's transition time changes only when its status does.

mod connection;
mod findings;
mod removal;
mod words;

use jiff::Timestamp;

use crate::domain::drift::DriftKind;
use crate::domain::installation::{Condition, ConditionStatus, ConditionType, InstallationState};
use crate::store::InstanceCheck;

use super::execute::StepError;
use super::plan::{Plan, Step, Unknown};

use connection::{access_drift, connection_finding, is_refusal};
use findings::{
    Finding, UNREADABLE, bad, flows_finding, good, is_flow_step, is_obstructed, is_queue_step,
    queues_finding, shard_finding, step_finding, unknown_told,
};
use words::needs_somebody;

pub use connection::fails_what_was_verified;
pub use findings::ShardStanding;
use removal::uninstalled_told;

pub use removal::removal_told;
pub use words::words;

/// How a pass went.
#[derive(Debug)]
pub struct Pass<'a> {
    pub installed_wanted: bool,
    pub shard: ShardStanding,
    /// What the last check of the connection found.
    pub connection: &'a InstanceCheck,
    pub plan: &'a Plan,
    /// The steps that failed, in order, and why.
    pub failures: &'a [(&'a Step, StepError)],
    /// The steps that were not tried because of that.
    pub held_back: &'a [&'a Step],
}

impl Pass<'_> {
    fn first_failure(&self) -> Option<&StepError> {
        self.failures.first().map(|(_, err)| err)
    }

    /// What the roles refused in this pass, if anything.
    fn refusal(&self) -> Option<&StepError> {
        let mut errors = self.failures.iter().map(|(_, err)| err);
        errors.find(|err| is_refusal(err))
    }

    fn needs_somebody(&self) -> bool {
        let is_lasting = |unknown: &Unknown| !unknown.err().is_retryable();
        self.failures.iter().any(|(_, err)| needs_somebody(err))
            || self.plan.unknown.iter().any(is_lasting)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    pub state: InstallationState,
    pub conditions: Vec<Condition>,
    /// Nothing is left to do for this generation.
    pub reached: bool,
    /// Something of ours was taken away, and only another look tells what people pointed at that meanwhile.
    pub look_again: bool,
}

impl Assessment {
    /// How the customer's roles fail to serve; none: they do, as far as is known.
    #[must_use]
    pub fn access_lost(&self, check: &InstanceCheck) -> Option<DriftKind> {
        let unhealthy = self.conditions.iter().find(|condition| {
            condition.kind == ConditionType::ConnectionHealthy
                && condition.status == ConditionStatus::False
        })?;
        Some(access_drift(&unhealthy.reason, check))
    }
}

/// The pass came to its end or to a failed step.
#[must_use]
pub fn assess(pass: &Pass<'_>, old: &[Condition], now: Timestamp) -> Assessment {
    if !pass.installed_wanted {
        return assess_uninstall(pass, old, now);
    }
    let shard = shard_finding(pass.shard);
    let permission = step_finding(
        pass,
        |step| {
            matches!(
                step,
                Step::GrantPermission
                    | Step::LeaveFunction { .. }
                    | Step::GrantFallback { .. }
                    | Step::RevokeFallback { .. }
            )
        },
        || good("granted", "the instance may invoke the limiter function"),
    );
    let flows = step_finding(pass, is_flow_step, || flows_finding(pass.plan));
    let queues = step_finding(pass, is_queue_step, || queues_finding(pass.plan));
    let findings = vec![
        (ConditionType::ShardAssigned, shard),
        (ConditionType::PermissionGranted, permission),
        (ConditionType::FlowsInstalled, flows),
        (ConditionType::QueuesAttached, queues),
        (
            ConditionType::ConnectionHealthy,
            connection_finding(pass.connection, pass.refusal()),
        ),
    ];
    let is_done = pass.failures.is_empty() && pass.plan.unknown.is_empty();
    let is_blocked = pass.failures.is_empty() && is_obstructed(pass.plan);
    let state = if pass.needs_somebody() || is_blocked {
        InstallationState::Blocked
    } else if is_done {
        InstallationState::Installed
    } else {
        InstallationState::Installing
    };
    Assessment {
        state,
        conditions: with_ready(findings, pass.first_failure(), old, now),
        reached: is_done,
        look_again: is_done && pass.plan.deletes_flows(),
    }
}

/// The pass could not even look: `reason` holds for everything that had to be looked at.
#[must_use]
pub fn assess_unseen(
    installed_wanted: bool,
    shard: ShardStanding,
    connection: &InstanceCheck,
    err: &StepError,
    old: &[Condition],
    now: Timestamp,
) -> Assessment {
    let (reason, message) = words(err);
    let unknown = || (ConditionStatus::Unknown, reason.clone(), message.clone());
    let findings = vec![
        (ConditionType::ShardAssigned, shard_finding(shard)),
        (ConditionType::PermissionGranted, unknown()),
        (ConditionType::FlowsInstalled, unknown()),
        (ConditionType::QueuesAttached, unknown()),
        (
            ConditionType::ConnectionHealthy,
            connection_finding(connection, Some(err)),
        ),
        (
            ConditionType::Ready,
            (ConditionStatus::False, reason.clone(), message.clone()),
        ),
    ];
    let state = match (needs_somebody(err), installed_wanted) {
        (true, _) => InstallationState::Blocked,
        (false, true) => InstallationState::Installing,
        (false, false) => InstallationState::Uninstalling,
    };
    Assessment {
        state,
        conditions: dated(findings, old, now),
        reached: false,
        look_again: false,
    }
}

/// No limiter function of the region has room.
#[must_use]
pub fn assess_without_shard(
    region: &str,
    connection: &InstanceCheck,
    old: &[Condition],
    now: Timestamp,
) -> Assessment {
    let reason = "no_shard_capacity";
    let message = format!(
        "every limiter function in {region} is full or there is none; the operator has to add one"
    );
    let findings = ConditionType::ALL
        .into_iter()
        .map(|kind| {
            let status = match kind {
                ConditionType::ConnectionHealthy => {
                    return (kind, connection_finding(connection, None));
                }
                ConditionType::ShardAssigned | ConditionType::Ready => ConditionStatus::False,
                _ => ConditionStatus::Unknown,
            };
            (kind, (status, reason.to_owned(), message.clone()))
        })
        .collect();
    Assessment {
        state: InstallationState::Blocked,
        conditions: dated(findings, old, now),
        reached: false,
        look_again: false,
    }
}

fn assess_uninstall(pass: &Pass<'_>, old: &[Condition], now: Timestamp) -> Assessment {
    let (state, (reason, message)) = match pass.first_failure() {
        None if !pass.plan.unknown.is_empty() => (
            match pass.needs_somebody() {
                true => InstallationState::Blocked,
                false => InstallationState::Uninstalling,
            },
            (
                UNREADABLE.to_owned(),
                format!(
                    "{}; our flows stay until it is known whether one runs there",
                    unknown_told(pass.plan, |_| true)
                ),
            ),
        ),
        None if pass.plan.takes_away() => (
            InstallationState::Uninstalling,
            (
                "looking_again".to_owned(),
                "all of Ringfence was taken away; one more look tells whether somebody pointed a queue at it meanwhile".to_owned(),
            ),
        ),
        None => (
            InstallationState::Uninstalled,
            ("uninstalled".to_owned(), uninstalled_told(pass.plan)),
        ),
        Some(err) if pass.needs_somebody() => (InstallationState::Blocked, words(err)),
        Some(err) => (InstallationState::Uninstalling, words(err)),
    };
    let findings = ConditionType::ALL
        .into_iter()
        .map(|kind| match kind {
            ConditionType::ConnectionHealthy => {
                (kind, connection_finding(pass.connection, pass.refusal()))
            }
            _ => (kind, bad(&reason, message.clone())),
        })
        .collect();
    Assessment {
        state,
        conditions: dated(findings, old, now),
        reached: state == InstallationState::Uninstalled,
        look_again: pass.failures.is_empty()
            && pass.plan.unknown.is_empty()
            && pass.plan.takes_away(),
    }
}

fn with_ready(
    mut findings: Vec<(ConditionType, Finding)>,
    failure: Option<&StepError>,
    old: &[Condition],
    now: Timestamp,
) -> Vec<Condition> {
    let ready = match (
        failure,
        findings
            .iter()
            .find(|(kind, finding)| is_unmet(*kind, finding)),
    ) {
        (Some(err), _) => {
            let (reason, message) = words(err);
            bad(&reason, message)
        }
        (None, Some((_, (_, reason, message)))) => bad(reason, message.clone()),
        (None, None) => good("ready", "calls from every chosen queue are limited"),
    };
    findings.push((ConditionType::Ready, ready));
    dated(findings, old, now)
}

/// Roles that were never checked are no reason to doubt what was just done through them.
fn is_unmet(kind: ConditionType, finding: &Finding) -> bool {
    match kind {
        ConditionType::ConnectionHealthy => finding.0 == ConditionStatus::False,
        _ => finding.0 != ConditionStatus::True,
    }
}

fn dated(
    findings: Vec<(ConditionType, Finding)>,
    old: &[Condition],
    now: Timestamp,
) -> Vec<Condition> {
    findings
        .into_iter()
        .map(|(kind, (status, reason, message))| Condition {
            kind,
            status,
            reason,
            message,
            last_transition_at: old
                .iter()
                .find(|condition| condition.kind == kind && condition.status == status)
                .map_or(now, |condition| condition.last_transition_at),
        })
        .collect()
}

#[cfg(test)]
mod tests;
