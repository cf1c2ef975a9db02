//! Reads which queues agents can dial from: every routing profile of an instance, which may be hundreds at a request a
//! second. So it is read bit by bit under a lease of its own, beside the passes over installations.
//!
//! Invariants: it changes nothing in the customer's account; a reader that dies is followed by one that goes on where it
//! was; a permission that is missing is named, and the rest is read all the same. Failure: what was read stays, why it
//! does not go on is kept with it, and it is tried again after a growing pause; where nothing is installed it is given up
//! in the end, for nobody mends a role that is not needed any more.

mod slice;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::aws::{Aws, InstanceAccess};
use crate::clock::{Clock, IdSource, later};
use crate::domain::pace::Urgency;
use crate::store::{LeasedReading, Store, StoreError, TenantTx};

use super::backoff::backoff;
use super::driver::Found;
use super::installation::conditions::words;
use super::installation::execute::StepError;
use slice::{Eyes, Slice};

/// Routing profiles seldom change, and reading them costs the account's pace.
const PERIOD: Duration = Duration::from_hours(24);

/// Two prolongations may fail before a lease is lost.
const HEARTBEATS: u32 = 3;

/// Failures in a row after which a reading is given up, where nothing is installed that it would be kept for.
const TRIES: u32 = 8;

/// Goes on with one reading at a time.
#[derive(Debug, Clone)]
pub struct CoverageReader {
    pub store: Store,
    pub aws: Arc<Aws>,
    pub clock: Clock,
    pub ids: IdSource,
    /// How long a process that died keeps others from its reading.
    pub lease: Duration,
    pub stop: CancellationToken,
}

impl CoverageReader {
    /// Takes what is due and reads a slice of it.
    pub async fn look(&self) -> Result<Found, StoreError> {
        let now = self.clock.now();
        let until = later(now, self.lease);
        let leased = self.store.coverage_lease(self.ids.uuid(), now, until);
        let Some(leased) = leased.await? else {
            return Ok(Found::Nothing);
        };
        let read = tokio::select! {
            read = self.read_on(&leased) => read,
            () = self.stop.cancelled() => Ok(Slice::Paused),
            lost = self.keep_lease(&leased) => Err(lost),
        };
        self.leave(&leased, read).await?;
        Ok(Found::Work)
    }

    /// A request waits for the account's pace, and a list has many pages. Ends only when the lease is lost.
    async fn keep_lease(&self, leased: &LeasedReading) -> StepError {
        loop {
            tokio::time::sleep(self.lease / HEARTBEATS).await;
            if let Err(err @ StepError::LeaseLost) = self.hold_on(leased).await {
                return err;
            }
        }
    }

    async fn hold_on(&self, leased: &LeasedReading) -> Result<(), StepError> {
        Ok(self.held(leased).await?.commit().await?)
    }

    /// Reads the next parts; what is read is kept at once.
    async fn read_on(&self, leased: &LeasedReading) -> Result<Slice, StepError> {
        let roles = std::slice::from_ref(&leased.installer_role_arn);
        let access = InstanceAccess::ways(&leased.instance_arn, roles, &leased.external_ids);
        let now = self.clock.now();
        let connect = self
            .aws
            .connect_instance(&access, Urgency::Background)
            .await?;
        let mut tx = self.held(leased).await?;
        let reading = tx.coverage_reading(leased.instance).await?;
        let reading = reading.unwrap_or_default();
        let began_at = reading.began_at.unwrap_or(now);
        if reading.began_at.is_none() {
            tx.coverage_begin(leased.instance, began_at).await?;
        }
        tx.commit().await?;
        let mut eyes = Eyes {
            reader: self,
            leased,
            connect: &connect,
            refused: match reading.began_at {
                Some(_) => reading.refused.clone(),
                None => Vec::new(),
            },
        };
        if reading.listed_at.is_none() {
            eyes.list().await?;
        }
        eyes.read_slice(began_at).await
    }

    async fn leave(
        &self,
        leased: &LeasedReading,
        read: Result<Slice, StepError>,
    ) -> Result<(), StoreError> {
        let mut tx = match self.held(leased).await {
            Ok(tx) => tx,
            // Somebody else goes on with it.
            Err(StepError::Store(err)) => return Err(err),
            Err(_) => return Ok(()),
        };
        let now = self.clock.now();
        match read {
            Ok(Slice::Paused) | Err(StepError::LeaseLost) => {
                tx.coverage_pause(leased.instance, now).await?;
            }
            Ok(Slice::Whole) => {
                let next = later(now, self.aws.jitter().shorten(PERIOD));
                tx.coverage_finish(leased.instance, now, next).await?;
            }
            Err(err) => {
                let (_, why) = words(&err);
                tracing::info!(instance.id = %leased.instance, error = %err, "routing profiles could not be read; it is tried again where it is kept or wished for");
                let reading = tx.coverage_reading(leased.instance).await?;
                let failures = reading.unwrap_or_default().attempts.saturating_add(1);
                let next = later(now, backoff(failures, self.aws.jitter()));
                tx.coverage_failed(leased.instance, &why, next, failures < TRIES)
                    .await?;
            }
        }
        tx.commit().await
    }

    /// A transaction in which the lease is ours.
    async fn held(&self, leased: &LeasedReading) -> Result<TenantTx, StepError> {
        let mut tx = self.store.tenant(leased.tenant).await?;
        let until = later(self.clock.now(), self.lease);
        let held = tx.coverage_hold(leased.instance, leased.token, until);
        if held.await? {
            Ok(tx)
        } else {
            Err(StepError::LeaseLost)
        }
    }
}
