//! Keeps what a check of a connection found, with all that follows from it, in one transaction.
//!
//! Invariants: an external id or a role takes another's place only in the state in which it was checked, and the former
//! one stays known to limiters for as long as any of them may still go by it; whoever acts through the roles is told of
//! every change of them. Failure: a connection that was changed meanwhile is left as it is; the next check sees it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::domain::ids::EventId;
use crate::domain::webhook::EventKind;
use crate::store::{
    Change, Connection, ConnectionHealth, Instance, InstanceCheck, NewEvent, StoreError, TenantTx,
};

use super::check_connection::{Checked, RoleArns};
use super::verify_instance::Check;

/// Longer than a limiter that cannot read its table is likely to go on with the last snapshot it read, and as long as
/// any session of a role lasts.
const FORMER_ROLE_KEPT: SignedDuration = SignedDuration::from_hours(1);

/// A check as it was made.
#[derive(Debug)]
pub struct Recording<'a> {
    pub instance: &'a Instance,
    /// As it was when the check began.
    pub connection: &'a Connection,
    pub roles: &'a RoleArns,
    pub checked: &'a Checked,
    pub began_at: Timestamp,
    pub at: Timestamp,
    /// When the next one is due.
    pub due_at: Timestamp,
    /// Of the event to be, should the connection turn out to be unhealthy.
    pub event: EventId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Recorded {
        before: ConnectionHealth,
        now: ConnectionHealth,
        access_changed: bool,
    },
    /// The connection was changed, or a later check recorded, while this one was made.
    Overtaken,
}

impl Recording<'_> {
    /// `change` is the audit row for a change of the access, to be completed.
    pub async fn keep(&self, tx: &mut TenantTx, change: Change) -> Result<Kept, StoreError> {
        let stands = tx.connection_get_locked(self.connection.id).await?;
        if stands.as_ref() != Some(self.connection) {
            return Ok(Kept::Overtaken);
        }
        let found = self.found();
        let before = tx
            .instance_check_record(self.instance.id, &found, self.began_at, self.due_at)
            .await?;
        let Some(before) = before else {
            return Ok(Kept::Overtaken);
        };
        let access = self.access_after();
        let access_changed = access != *self.connection;
        if access_changed {
            tx.connection_set_access(&access).await?;
            // Limiters act through the runtime role; workers may have been kept out by the former state.
            tx.publication_touch(None, self.at).await?;
            tx.installation_look_now(None, self.at).await?;
            let change = Change {
                before: Some(audited(self.connection)),
                after: Some(audited(&access)),
                ..change
            };
            tx.audit_append(&change).await?;
        } else if before != found.health {
            tx.installation_look_now(Some(self.instance.id), self.at)
                .await?;
        }
        if found.health == ConnectionHealth::Unhealthy && before == ConnectionHealth::Healthy {
            tx.event_put(&self.unhealthy(&format!("{} {}", self.instance.id, self.at)))
                .await?;
        }
        Ok(Kept::Recorded {
            before,
            now: found.health,
            access_changed,
        })
    }

    fn unhealthy<'e>(&self, subject: &'e str) -> NewEvent<'e> {
        let failed: Vec<&str> = self
            .checked
            .verification
            .failures()
            .map(|check| check.name.as_str())
            .collect();
        NewEvent {
            id: self.event,
            kind: EventKind::ConnectionUnhealthy,
            subject,
            at: self.at,
            data: json!({
                "connection_id": self.connection.id.to_string(),
                "instance_id": self.instance.id.to_string(),
                "failed": failed,
            }),
        }
    }

    fn found(&self) -> InstanceCheck {
        let verification = &self.checked.verification;
        InstanceCheck {
            health: if verification.passed() {
                ConnectionHealth::Healthy
            } else {
                ConnectionHealth::Unhealthy
            },
            checks: Value::Array(verification.checks.iter().map(shown).collect()),
            checked_at: Some(self.at),
        }
    }

    fn access_after(&self) -> Connection {
        let mut access = self.connection.clone();
        if self.checked.former_refused {
            access.former_external_id = None;
        }
        let kept_since = access.access_changed_at.unwrap_or(Timestamp::MIN);
        if self.at.duration_since(kept_since) >= FORMER_ROLE_KEPT {
            access.former_runtime_role_arn = None;
        }
        if !self.checked.verification.passed() {
            return access;
        }
        access.installer_role_arn.clone_from(&self.roles.installer);
        if access.runtime_role_arn != self.roles.runtime {
            // Before the first proof the name was only a guess.
            access.former_runtime_role_arn = self
                .instance
                .verified_at
                .map(|_| access.runtime_role_arn.clone());
            access.runtime_role_arn.clone_from(&self.roles.runtime);
            access.access_changed_at = Some(self.at);
        }
        if self.checked.promotes_pending()
            && let Some(pending) = access.pending_external_id.take()
        {
            access.former_external_id = Some(std::mem::replace(&mut access.external_id, pending));
            access.access_changed_at = Some(self.at);
        }
        access
    }
}

/// Roles, and how far a change of the external id has come; never an external id itself.
#[must_use]
pub fn audited(connection: &Connection) -> Value {
    json!({
        "account_id": connection.account_id,
        "installer_role_arn": connection.installer_role_arn,
        "runtime_role_arn": connection.runtime_role_arn,
        "external_id": match (&connection.pending_external_id, &connection.former_external_id) {
            (Some(_), _) => "another one is pending",
            (None, Some(_)) => "the former one may still be accepted",
            (None, None) => "settled",
        },
    })
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
