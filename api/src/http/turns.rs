//! Requests that keep the database or a processor busy for long: only a few at a time, so that they leave room for all
//! others.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::problem::{ApiError, ApiResult, Code};

/// A quarter of the connections of a process.
const COUNTING_AT_ONCE: usize = 4;
const REPLAYING_AT_ONCE: usize = 2;
/// A page of the dashboard asks for some figures at once.
const WAIT: Duration = Duration::from_secs(5);

/// Held for as long as the work takes.
pub(super) type Turn = OwnedSemaphorePermit;

/// The turns of this process.
#[derive(Debug)]
pub struct Turns {
    counting: Arc<Semaphore>,
    replaying: Arc<Semaphore>,
    wait: Duration,
}

impl Default for Turns {
    fn default() -> Self {
        Self::of(COUNTING_AT_ONCE, REPLAYING_AT_ONCE, WAIT)
    }
}

impl Turns {
    fn of(counting: usize, replaying: usize, wait: Duration) -> Self {
        Self {
            counting: Arc::new(Semaphore::new(counting)),
            replaying: Arc::new(Semaphore::new(replaying)),
            wait,
        }
    }

    /// To count decisions over a period.
    pub(super) async fn count(&self) -> ApiResult<Turn> {
        self.next(&self.counting).await
    }

    /// To replay a policy.
    pub(super) async fn replay(&self) -> ApiResult<Turn> {
        self.next(&self.replaying).await
    }

    async fn next(&self, turns: &Arc<Semaphore>) -> ApiResult<Turn> {
        let turn = timeout(self.wait, Arc::clone(turns).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or_else(|| {
            ApiError::new(
                Code::ServiceUnavailable,
                "too many others ask for this at the moment; try again in a moment",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{StatusCode, header};
    use axum::response::IntoResponse as _;

    use super::*;

    #[tokio::test]
    async fn more_heavy_requests_than_there_are_turns_are_told_to_come_back_later() {
        let turns = Turns::of(2, 1, Duration::ZERO);
        let (one, _other) = (turns.count().await, turns.count().await);
        let refused = turns.count().await.expect_err("no turn").into_response();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()[header::RETRY_AFTER], "5");
        let replaying = turns.replay().await.expect("a turn of another kind");
        assert!(turns.replay().await.is_err());
        drop((one, replaying));
        assert!(turns.count().await.is_ok());
        assert!(turns.replay().await.is_ok());
    }
}
