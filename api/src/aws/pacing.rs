//! Every request to Amazon Connect, and to Lambda's control plane, waits here for the turn of its account and region.
//!
//! Invariants: turns are common to all processes (they are taken from the database), so that together they stay within
//! their share of the account's quota; a turn that could not be used in time is given up for a new one; after the
//! service throttled, nobody asks there for a while. Failure: without the database no request goes out.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Jitter;
use super::error::{AwsError, AwsErrorKind};
use crate::domain::pace::{Pace, Place, Quota, Urgency};
use crate::store::{Store, StoreError};

const ATTEMPTS_MAX: u32 = 4;
const PAUSE_FIRST: Duration = Duration::from_millis(400);
/// A process that was held up longer than this may find its turn among those of others.
pub(super) const LATE_MAX: Duration = Duration::from_secs(1);
/// A database that answers later than that is taken to be down.
const TURN_WITHIN: Duration = Duration::from_secs(10);

/// The turns of one account and region, as one kind of caller takes them.
#[derive(Debug, Clone)]
pub(super) struct Pacer {
    pub(super) store: Store,
    pub(super) jitter: Jitter,
    pub(super) place: Place,
    pub(super) requests_per_second: f64,
    pub(super) urgency: Urgency,
}

impl Pacer {
    /// Sends in turn; throttled and passing failures are tried again a few times with growing, jittered pauses.
    pub(super) async fn send<T, F, Fut>(
        &self,
        action: &'static str,
        quota: Quota,
        request: F,
    ) -> Result<T, AwsError>
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, AwsError>> + Send,
    {
        self.send_of(action, quota, 1, request).await
    }

    /// As [`Self::send`], for a change: only what the service throttled is tried again. Of a passing failure nobody can tell
    /// whether the change was made.
    pub(super) async fn send_change<T, F, Fut>(
        &self,
        action: &'static str,
        quota: Quota,
        request: F,
    ) -> Result<T, AwsError>
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, AwsError>> + Send,
    {
        let is_undone = |err: &AwsError| err.kind == AwsErrorKind::Throttled;
        self.send_while(action, quota, 1, is_undone, request).await
    }

    /// As [`Self::send`], taking more turns than the one that it needs.
    pub(super) async fn send_of<T, F, Fut>(
        &self,
        action: &'static str,
        quota: Quota,
        turns: u32,
        request: F,
    ) -> Result<T, AwsError>
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, AwsError>> + Send,
    {
        self.send_while(action, quota, turns, AwsError::is_retryable, request)
            .await
    }

    async fn send_while<T, F, Fut>(
        &self,
        action: &'static str,
        quota: Quota,
        turns: u32,
        is_tried_again: impl Fn(&AwsError) -> bool + Send + Sync,
        request: F,
    ) -> Result<T, AwsError>
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, AwsError>> + Send,
    {
        let mut pause = PAUSE_FIRST;
        let mut attempt = 1;
        loop {
            self.turns(action, quota, turns).await?;
            // The SDK's futures are large; one within the other, they are too much for a thread's stack where nothing is optimised.
            let err = match Box::pin(request()).await {
                Ok(answer) => return Ok(answer),
                Err(err) => err,
            };
            self.after(&err, quota).await;
            if !is_tried_again(&err) || attempt == ATTEMPTS_MAX {
                return Err(err);
            }
            // A throttled account is at rest already: its next turn is after the pause.
            if err.kind != AwsErrorKind::Throttled {
                sleep(self.jitter.spread(pause)).await;
            }
            pause *= 2;
            attempt += 1;
        }
    }

    /// Waits until so many requests may go out together.
    pub(super) async fn turns(
        &self,
        action: &'static str,
        quota: Quota,
        turns: u32,
    ) -> Result<(), AwsError> {
        let pace = self.pace(quota);
        loop {
            let taken = self.store.pace_take(&self.place, quota, pace, turns);
            let Some(wait) = told(action, taken).await? else {
                return Err(AwsError {
                    action,
                    kind: AwsErrorKind::Throttled,
                    message: "too many requests to this account are waiting; try again in a while"
                        .to_owned(),
                });
            };
            let turn = Instant::now() + wait;
            sleep_until(turn).await;
            if turn.elapsed() > LATE_MAX {
                continue;
            }
            // Nobody else had a turn meanwhile unless the wait was longer than the distance between two: only then is it worth
            // a look whether the service throttled after this turn was given.
            if wait <= pace.interval
                || !told(action, self.store.pace_is_paused(&self.place, quota)).await?
            {
                return Ok(());
            }
        }
    }

    /// What everybody who asks there has to know of a failure.
    pub(super) async fn after(&self, err: &AwsError, quota: Quota) {
        if err.kind != AwsErrorKind::Throttled {
            return;
        }
        let spread = |pause| self.jitter.spread(pause);
        let paused = self
            .store
            .pace_pause(&self.place, quota, self.pace(quota), spread);
        match paused.await {
            Ok(pause) => {
                tracing::info!(
                    account = self.place.account_id,
                    region = self.place.region,
                    action = err.action,
                    pause_ms = pause.as_millis(),
                    "throttled; nobody asks there for a while"
                );
            }
            Err(err) => tracing::warn!(error = %err, "a throttle could not be told to the others"),
        }
    }

    fn pace(&self, quota: Quota) -> Pace {
        Pace::new(self.requests_per_second, quota, self.urgency)
    }
}

/// What the database says of turns, if it says it in time.
async fn told<T>(
    action: &'static str,
    asked: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, AwsError> {
    match timeout(TURN_WITHIN, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) | Err(_) => Err(AwsError::not_sent(
            action,
            "Ringfence's database did not say when this account's turn is",
        )),
    }
}
