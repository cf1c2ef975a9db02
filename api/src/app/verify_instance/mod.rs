//! Proves that an instance belongs to the tenant that registered it and that the two roles do what they must.
//!
//! Invariants: a role that can be assumed without the external id, or with a wrong one, is refused, because then any
//! customer of Ringfence could point at it; every probe is harmless (it reads, or asks for what cannot be done).
//! Failure: each check says which permission is missing; a check that could not be tried says so.

mod check;
mod fallback;
mod installer;
mod role;

use crate::aws::{Aws, AwsError, InstanceAccess};
use crate::domain::pace::Urgency;

use check::permission;
use fallback::check_fallback;
use installer::{check_installer, check_instance};
use role::check_role;

pub use check::{Check, CheckStatus, Subject};
pub use fallback::Fallback;

/// Every check of one run, in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub checks: Vec<Check>,
}

impl Verification {
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks
            .iter()
            .filter(|check| check.status == CheckStatus::Failed)
    }
}

/// Both roles of a connection, each with what is needed to act through it.
#[derive(Debug, Clone)]
pub struct Roles {
    pub installer: InstanceAccess,
    pub runtime: InstanceAccess,
}

/// Runs every check. An error means that AWS could not be asked, not that a check failed.
pub async fn verify_instance(
    aws: &Aws,
    roles: &Roles,
    fallback: &Fallback,
    urgency: Urgency,
) -> Result<Verification, AwsError> {
    let mut checks = Vec::new();
    let installer = std::slice::from_ref(&roles.installer);
    aws.forget_sessions(installer);
    if check_role(aws, &roles.installer, Subject::InstallerRole, &mut checks).await? {
        let connect = aws.connect_instance(installer, urgency).await?;
        if check_instance(&connect, &roles.installer, &mut checks).await? {
            Box::pin(check_installer(&connect, &mut checks)).await?;
            let fallback = check_fallback(aws, &roles.installer, fallback, urgency, &mut checks);
            Box::pin(fallback).await?;
        }
    }
    if check_role(aws, &roles.runtime, Subject::RuntimeRole, &mut checks).await? {
        let probe = aws.runtime_probe(&roles.runtime).await?;
        let subject = Subject::RuntimeRole;
        let (stop, start) = (probe.stop_contact().await, probe.start_task_contact().await);
        checks.push(permission("connect:StopContact", subject, stop)?);
        checks.push(permission("connect:StartTaskContact", subject, start)?);
    }
    Ok(Verification { checks })
}
