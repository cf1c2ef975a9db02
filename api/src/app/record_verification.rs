//! Verifies an instance and keeps what was found.
//!
//! Invariants: no database connection is held while AWS is asked; roles are kept only once they have passed, here and where
//! else they would be used; the
//! instance belongs to whoever proved it first, which the database alone decides, and which nobody learns who has not
//! proved it too. Failure: what was found is kept for the tenant to read, also when it is bad.

use std::time::Duration;

use serde_json::json;

use crate::auth::{Principal, Refused};
use crate::aws::{Aws, AwsError};
use crate::clock::{Clock, IdSource, later};
use crate::domain::ids::{EventId, InstanceId, TenantId};
use crate::domain::instance_arn::InstanceArn;
use crate::domain::pace::Urgency;
use crate::store::{Change, Constraint, Instance, Store, StoreError, TenantTx};

use super::check_connection::{Place, RoleArns, check_connection};
use super::other_instances::{Refusal, installed_beside, refused_at};
use super::record_check::{Kept, Recording};
use super::verify_instance::Verification;

const TRIES_MAX: u32 = 3;
/// As long as a request may take.
const VERIFIED_WITHIN: Duration = Duration::from_secs(120);

/// Roles that the tenant names instead of those that the connection has.
#[derive(Debug, Clone, Default)]
pub struct GivenRoles {
    pub installer_role_arn: Option<String>,
    pub runtime_role_arn: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub enum Verified {
    Passed,
    Failed(Verification),
    /// Everything passed, but another tenant proved this instance before.
    Claimed,
    /// Everything passed here, but the roles would not do at another instance that goes by the connection's.
    FailedElsewhere(Refusal),
    /// The connection was changed while it was checked.
    Overtaken,
}

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("there is no such instance")]
    NoInstance,
    /// Not the ARN of a role in the instance's account.
    #[error("must be the ARN of a role in the instance's account {account_id}")]
    NoRole {
        pointer: &'static str,
        account_id: String,
    },
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The caller may not change the tenant any more.
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a verification works with.
#[derive(Debug)]
pub struct Verifying<'a> {
    pub store: &'a Store,
    pub aws: &'a Aws,
    pub clock: &'a Clock,
    pub ids: &'a IdSource,
    pub tenant: TenantId,
    /// Who asked for it.
    pub by: &'a Principal,
    pub instance: InstanceId,
    /// The audit row to be, without its result.
    pub change: Change,
    /// How long until the connection is checked again.
    pub check_period: Duration,
}

impl Verifying<'_> {
    /// Begins anew where it was overtaken: by a worker's check, or by a change that another try takes into account.
    pub async fn run(&self, given: &GivenRoles) -> Result<Verified, VerifyError> {
        for _ in 1..TRIES_MAX {
            match Box::pin(self.run_once(given)).await? {
                Verified::Overtaken => self.put_checks_off().await?,
                outcome => return Ok(outcome),
            }
        }
        Box::pin(self.run_once(given)).await
    }

    async fn run_once(&self, given: &GivenRoles) -> Result<Verified, VerifyError> {
        let place = load(self.store, self.tenant, self.instance).await?;
        let (instance, connection) = (&place.instance, &place.connection);
        let roles = RoleArns {
            installer: role(
                &instance.arn,
                given.installer_role_arn.clone(),
                &connection.installer_role_arn,
                "/installer_role_arn",
            )?,
            runtime: role(
                &instance.arn,
                given.runtime_role_arn.clone(),
                &connection.runtime_role_arn,
                "/runtime_role_arn",
            )?,
        };
        let began_at = self.clock.now();
        let checked = check_connection(self.aws, &place, &roles, Urgency::Asked).await?;
        let passed = checked.verification.passed();
        let others = if passed && !roles.are_of(connection) {
            self.others(&place).await?
        } else {
            Vec::new()
        };
        if let Some(refusal) = refused_at(self.aws, &others, &roles).await? {
            self.record_attempt().await?;
            return Ok(Verified::FailedElsewhere(refusal));
        }
        let at = self.clock.now();
        let recording = Recording {
            instance,
            connection,
            roles: &roles,
            checked: &checked,
            began_at,
            at,
            due_at: later(at, self.aws.jitter().shorten(self.check_period)),
            event: EventId(self.ids.uuid()),
        };
        if !passed && instance.verified_at.is_some() && !roles.are_of(connection) {
            // What is wrong with roles that were only tried says nothing of those in use.
            self.record_attempt().await?;
            return Ok(Verified::Failed(checked.verification));
        }
        match self.keep(&recording, &place, &others).await {
            Ok(Kept::Overtaken) => Ok(Verified::Overtaken),
            Ok(Kept::Recorded { .. }) if passed => Ok(Verified::Passed),
            Ok(Kept::Recorded { .. }) => Ok(Verified::Failed(checked.verification)),
            Err(VerifyError::Store(StoreError::Constraint(Constraint::InstanceClaimed))) => {
                self.refuse(instance).await?;
                Ok(Verified::Claimed)
            }
            Err(err) => Err(err),
        }
    }

    /// A worker's check in the middle of the next try would be the later one again, and count.
    async fn put_checks_off(&self) -> Result<(), StoreError> {
        let mut tx = self.store.tenant(self.tenant).await?;
        let at = later(self.clock.now(), VERIFIED_WITHIN);
        tx.instance_check_at(self.instance, at).await?;
        tx.commit().await
    }

    /// Asking AWS took a while, in which the tenant may have been suspended.
    async fn begin(&self) -> Result<TenantTx, Refused> {
        self.by.begin_change(self.store, self.clock.now()).await
    }

    async fn others(&self, place: &Place) -> Result<Vec<Place>, StoreError> {
        let mut tx = self.store.tenant(self.tenant).await?;
        let others = installed_beside(&mut tx, place).await?;
        tx.commit().await?;
        Ok(others)
    }

    async fn keep(
        &self,
        recording: &Recording<'_>,
        place: &Place,
        others: &[Place],
    ) -> Result<Kept, VerifyError> {
        let passed = recording.checked.verification.passed();
        let mut tx = self.begin().await?;
        let kept = recording
            .keep(&mut tx, self.access_change(recording))
            .await?;
        if kept == Kept::Overtaken {
            return Ok(kept);
        }
        // The connection is held by now: no instance is verified with the former roles before these take their place.
        if passed && !recording.roles.are_of(recording.connection) {
            let is_checked = |beside: &Place| {
                let id = beside.instance.id;
                others.iter().any(|checked| checked.instance.id == id)
            };
            let beside = installed_beside(&mut tx, place).await?;
            if !beside.iter().all(is_checked) {
                return Ok(Kept::Overtaken);
            }
        }
        if passed && recording.instance.verified_at.is_none() {
            tx.instance_mark_verified(self.instance, recording.at)
                .await?;
        }
        tx.audit_append(&self.told(json!({ "passed": passed })))
            .await?;
        tx.commit().await?;
        Ok(kept)
    }

    /// That it was tried is a fact worth keeping; of the roles nothing is kept, as they serve nobody here.
    async fn refuse(&self, instance: &Instance) -> Result<(), VerifyError> {
        let mut tx = self.begin().await?;
        tracing::warn!(instance.id = %instance.id, "an instance was proved that belongs to another tenant");
        tx.audit_append(&self.told(json!({ "passed": true, "claimed_by_another_tenant": true })))
            .await?;
        Ok(tx.commit().await?)
    }

    async fn record_attempt(&self) -> Result<(), VerifyError> {
        let mut tx = self.begin().await?;
        tx.audit_append(&self.told(json!({ "passed": false })))
            .await?;
        Ok(tx.commit().await?)
    }

    fn told(&self, after: serde_json::Value) -> Change {
        Change {
            after: Some(after),
            ..self.change.clone()
        }
    }

    fn access_change(&self, recording: &Recording<'_>) -> Change {
        Change {
            id: self.ids.uuid(),
            action: "connection.change_access",
            target: recording.connection.id.to_string(),
            ..self.change.clone()
        }
    }
}

/// An instance and the connection to its account.
pub async fn load(
    store: &Store,
    tenant: TenantId,
    instance: InstanceId,
) -> Result<Place, VerifyError> {
    let mut tx = store.tenant(tenant).await?;
    let instance = tx
        .instance_get(instance)
        .await?
        .ok_or(VerifyError::NoInstance)?;
    let connection = tx.connection_get(instance.connection_id).await?;
    let connection = connection.ok_or_else(|| StoreError::Corrupt {
        what: "instances.connection_id",
        detail: instance.id.to_string(),
    })?;
    let place = Place::load(&mut tx, instance, connection).await?;
    tx.commit().await?;
    Ok(place)
}

fn role(
    arn: &InstanceArn,
    given: Option<String>,
    kept: &str,
    pointer: &'static str,
) -> Result<String, VerifyError> {
    let role_arn = given.unwrap_or_else(|| kept.to_owned());
    let prefix = format!("arn:{}:iam::{}:role/", arn.partition(), arn.account_id());
    let is_role = role_arn.len() <= 2048
        && role_arn
            .strip_prefix(&prefix)
            .is_some_and(|name| !name.is_empty());
    if is_role {
        Ok(role_arn)
    } else {
        Err(VerifyError::NoRole {
            pointer,
            account_id: arn.account_id().to_owned(),
        })
    }
}
