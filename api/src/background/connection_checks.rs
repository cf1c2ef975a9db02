//! Finds out in time that a customer's roles no longer do what they must, rather than when a call has to be stopped.
//!
//! Invariants: it changes nothing in the customer's account; a check that could not be made says nothing, so what was
//! found before stands; what it finds is recorded as a verification by the tenant is, and takes up a pending external id
//! as that does. Failure: tried again after a growing pause.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use crate::app::check_connection::{RoleArns, check_connection};
use crate::app::record_check::{Kept, Recording};
use crate::app::record_verification::{VerifyError, load};
use crate::aws::Aws;
use crate::clock::{Clock, IdSource, later};
use crate::domain::ids::EventId;
use crate::domain::pace::Urgency;
use crate::store::{Change, DueCheck, Store, StoreError};

use super::WakeUps;
use super::backoff::backoff;
use super::driver::Found;

/// Longer than a check takes, and how soon one is made again that was overtaken.
const TAKEN_FOR: SignedDuration = SignedDuration::from_mins(5);

/// Makes checks, one at a time.
#[derive(Debug, Clone)]
pub struct ConnectionChecker {
    pub store: Store,
    pub aws: Arc<Aws>,
    pub clock: Clock,
    pub ids: IdSource,
    pub wake_ups: WakeUps,
    /// How long after a check the next one is due.
    pub period: Duration,
}

impl ConnectionChecker {
    pub async fn look(&self) -> Result<Found, StoreError> {
        let now = self.clock.now();
        let put_off_to = now.checked_add(TAKEN_FOR).unwrap_or(jiff::Timestamp::MAX);
        let Some(due) = self.store.instance_check_take_due(now, put_off_to).await? else {
            return Ok(Found::Nothing);
        };
        match self.check(due).await {
            Ok(()) => {}
            // Deleted meanwhile, with all that was to be checked. The others are for callers, who name roles and are admitted.
            Err(VerifyError::NoInstance | VerifyError::NoRole { .. } | VerifyError::Refused(_)) => {
            }
            Err(VerifyError::Aws(err)) => {
                tracing::info!(instance.id = %due.instance, error = %err, "a connection could not be checked; it is tried again");
                let pause = backoff(due.attempts.saturating_add(1), self.aws.jitter());
                let due_at = later(self.clock.now(), pause.min(self.period));
                self.store.instance_check_failed(due, due_at).await?;
            }
            Err(VerifyError::Store(err)) => return Err(err),
        }
        Ok(Found::Work)
    }

    async fn check(&self, due: DueCheck) -> Result<(), VerifyError> {
        let place = load(&self.store, due.tenant, due.instance).await?;
        let (instance, connection) = (&place.instance, &place.connection);
        let roles = RoleArns::of(connection);
        let began_at = self.clock.now();
        let checked = check_connection(&self.aws, &place, &roles, Urgency::Background).await?;
        let at = self.clock.now();
        let recording = Recording {
            instance,
            connection,
            roles: &roles,
            checked: &checked,
            began_at,
            at,
            due_at: later(at, self.aws.jitter().shorten(self.period)),
            event: EventId(self.ids.uuid()),
        };
        let change = |action, target| Change::by_worker(self.ids.uuid(), at, action, target);
        let mut tx = self.store.tenant(due.tenant).await?;
        let access_change = change("connection.change_access", connection.id.to_string());
        let kept = recording.keep(&mut tx, access_change).await?;
        let Kept::Recorded {
            before,
            now,
            access_changed,
        } = kept
        else {
            return Ok(());
        };
        if before != now {
            tracing::warn!(instance.id = %instance.id, before = before.as_str(), now = now.as_str(), "a connection's health changed");
            let failed: Vec<&str> = checked
                .verification
                .failures()
                .map(|check| check.name.as_str())
                .collect();
            let change = Change {
                before: Some(json!({ "health": before.as_str() })),
                after: Some(json!({ "health": now.as_str(), "failed": failed })),
                ..change("connection.health", instance.id.to_string())
            };
            tx.audit_append(&change).await?;
        }
        tx.commit().await?;
        if access_changed {
            self.wake_ups.publications.wake();
        }
        if access_changed || before != now {
            self.wake_ups.installations.wake();
        }
        Ok(())
    }
}
