//! Many installations at a time in one process. A pass mostly waits for its account's turn, minutes on end for an instance
//! with many queues; it must keep nobody else's waiting.
//!
//! Failure: a pass that fails is logged and due again; one that panics takes the process down with it, as any worker.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::background::driver::{Found, WakeUp, drive};
use crate::store::StoreError;

use super::{AwsReach, InstallationWorker};

/// Passes that one process makes at a time.
const PASSES_MAX: usize = 64;

#[derive(Debug)]
pub struct Crew {
    worker: InstallationWorker<AwsReach>,
    wake_up: WakeUp,
    room: Arc<Semaphore>,
    passes: Mutex<JoinSet<()>>,
}

impl Crew {
    #[must_use]
    pub fn new(worker: InstallationWorker<AwsReach>, wake_up: WakeUp) -> Self {
        Self {
            worker,
            wake_up,
            room: Arc::new(Semaphore::new(PASSES_MAX)),
            passes: Mutex::default(),
        }
    }

    /// Looks for work until `stop`, then until the passes in hand have ended.
    pub async fn run(self, poll: Duration, stop: &CancellationToken) {
        drive("installations", poll, &self.wake_up, stop, || self.look()).await;
        let mut passes = self.passes.into_inner();
        while let Some(ended) = passes.join_next().await {
            rethrow(ended);
        }
    }

    async fn look(&self) -> Result<Found, StoreError> {
        let mut passes = self.passes.lock().await;
        while let Some(ended) = passes.try_join_next() {
            rethrow(ended);
        }
        let room = tokio::select! {
            () = self.worker.stop.cancelled() => return Ok(Found::Nothing),
            room = Arc::clone(&self.room).acquire_owned() => room,
        };
        let Some((leased, journal)) = self.worker.lease().await? else {
            return Ok(Found::Nothing);
        };
        let (worker, wake_up) = (self.worker.clone(), self.wake_up.clone());
        passes.spawn(async move {
            if let Err(err) = worker.work(&leased, &journal).await {
                tracing::warn!(instance.id = %journal.instance, error = %err, "a pass could not be recorded");
            }
            drop(room);
            // Another installation of this account may have waited for it.
            wake_up.wake();
        });
        Ok(Found::Work)
    }
}

/// A pass is never cancelled, so what ended it otherwise is a panic.
fn rethrow(ended: Result<(), JoinError>) {
    if let Err(err) = ended
        && err.is_panic()
    {
        std::panic::resume_unwind(err.into_panic());
    }
}
