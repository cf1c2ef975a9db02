//! Verifies an instance and keeps what was found.
//!
//! Invariants: no database connection is held while AWS is asked; roles are kept only once they have passed; the
//! instance belongs to whoever proved it first, which the database alone decides, and which nobody learns who has not
//! proved it too. Failure: what was found is kept for the tenant to read, also when it is bad.

use serde_json::{Value, json};

use crate::aws::{Aws, AwsError, InstanceAccess};
use crate::clock::Clock;
use crate::domain::ids::{InstanceId, TenantId};
use crate::domain::instance_arn::InstanceArn;
use crate::store::{Change, Connection, ConnectionHealth, Constraint, Instance, Store, StoreError};

use super::verify_instance::{Check, Roles, Verification, verify_instance};

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
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// `change` is the audit row to be, without its result.
pub async fn record_verification(
    store: &Store,
    aws: &Aws,
    clock: &Clock,
    change: Change,
    tenant: TenantId,
    instance: InstanceId,
    given: GivenRoles,
) -> Result<Verified, VerifyError> {
    let (instance, mut connection) = load(store, tenant, instance).await?;
    let roles = Roles {
        installer: access(
            &instance.arn,
            &connection,
            &given.installer_role_arn,
            "/installer_role_arn",
            |connection| &connection.installer_role_arn,
        )?,
        runtime: access(
            &instance.arn,
            &connection,
            &given.runtime_role_arn,
            "/runtime_role_arn",
            |connection| &connection.runtime_role_arn,
        )?,
    };
    let verification = verify_instance(aws, &roles, clock.now()).await?;
    connection.checks = Value::Array(verification.checks.iter().map(shown).collect());
    connection.checked_at = Some(clock.now());
    if !verification.passed() {
        connection.health = ConnectionHealth::Unhealthy;
        keep(store, change, tenant, &instance, &connection, false).await?;
        return Ok(Verified::Failed(verification));
    }
    connection.health = ConnectionHealth::Healthy;
    connection.installer_role_arn = roles.installer.role_arn;
    connection.runtime_role_arn = roles.runtime.role_arn;
    match keep(store, change, tenant, &instance, &connection, true).await {
        Ok(()) => Ok(Verified::Passed),
        Err(StoreError::Constraint(Constraint::InstanceClaimed)) => Ok(Verified::Claimed),
        Err(err) => Err(err.into()),
    }
}

async fn load(
    store: &Store,
    tenant: TenantId,
    instance: InstanceId,
) -> Result<(Instance, Connection), VerifyError> {
    let mut tx = store.tenant(tenant).await?;
    let instance = tx
        .instance_get(instance)
        .await?
        .ok_or(VerifyError::NoInstance)?;
    let connection = tx.connection_get(instance.connection_id).await?;
    tx.commit().await?;
    let connection = connection.ok_or_else(|| StoreError::Corrupt {
        what: "instances.connection_id",
        detail: instance.id.to_string(),
    })?;
    Ok((instance, connection))
}

fn access(
    arn: &InstanceArn,
    connection: &Connection,
    given: &Option<String>,
    pointer: &'static str,
    kept: fn(&Connection) -> &String,
) -> Result<InstanceAccess, VerifyError> {
    let role_arn = given.as_ref().unwrap_or_else(|| kept(connection)).clone();
    let prefix = format!("arn:{}:iam::{}:role/", arn.partition(), arn.account_id());
    let is_role = role_arn.len() <= 2048
        && role_arn
            .strip_prefix(&prefix)
            .is_some_and(|name| !name.is_empty());
    if !is_role {
        return Err(VerifyError::NoRole {
            pointer,
            account_id: arn.account_id().to_owned(),
        });
    }
    Ok(InstanceAccess {
        instance_arn: arn.clone(),
        role_arn,
        external_id: connection.external_id.clone(),
    })
}

async fn keep(
    store: &Store,
    mut change: Change,
    tenant: TenantId,
    instance: &Instance,
    connection: &Connection,
    passed: bool,
) -> Result<(), StoreError> {
    let mut tx = store.tenant(tenant).await?;
    tx.connection_record_check(connection).await?;
    if passed {
        if instance.verified_at.is_none() {
            tx.instance_mark_verified(instance.id, change.at).await?;
        }
        // Limiters act through the runtime role, which may be another one now.
        tx.publication_touch(None, change.at).await?;
    }
    change.after = Some(json!({ "passed": passed }));
    tx.audit_append(&change).await?;
    tx.commit().await
}

/// A check as the API shows it.
fn shown(check: &Check) -> Value {
    let status = check.status.as_str();
    let mut shown = json!({ "name": check.name, "status": status, "detail": check.detail });
    if let (Some(fix), Some(members)) = (&check.fix, shown.as_object_mut()) {
        members.insert("fix".to_owned(), json!(fix));
    }
    shown
}
