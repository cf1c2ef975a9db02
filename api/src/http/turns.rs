//! Requests that keep the database or a processor busy for long: only a few at a time, so that they leave room for all
//! others, whichever tenant they come from. All kinds together leave a quarter of a process's connections to what is quick.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::problem::{ApiError, ApiResult, Code};

/// A quarter of the connections of a process.
const COUNTING_AT_ONCE: usize = 4;
const REPLAYING_AT_ONCE: usize = 2;
const SEARCHING_AT_ONCE: usize = 4;
const VERIFYING_AT_ONCE: usize = 2;
/// A page of the dashboard asks for some figures at once.
const WAIT: Duration = Duration::from_secs(5);

/// Held for as long as the work takes.
pub type Turn = OwnedSemaphorePermit;

/// The turns of this process; clones share them.
#[derive(Debug, Clone)]
pub struct Turns {
    counting: Arc<Semaphore>,
    replaying: Arc<Semaphore>,
    searching: Arc<Semaphore>,
    verifying: Arc<Semaphore>,
    wait: Duration,
}

impl Default for Turns {
    fn default() -> Self {
        Self::waiting_for(WAIT)
    }
}

impl Turns {
    /// Who has none after so long is refused.
    #[must_use]
    pub fn waiting_for(wait: Duration) -> Self {
        Self {
            counting: semaphore(COUNTING_AT_ONCE),
            replaying: semaphore(REPLAYING_AT_ONCE),
            searching: semaphore(SEARCHING_AT_ONCE),
            verifying: semaphore(VERIFYING_AT_ONCE),
            wait,
        }
    }

    /// To count decisions over a period.
    pub async fn count(&self) -> ApiResult<Turn> {
        self.next(&self.counting).await
    }

    /// To replay a policy.
    pub async fn replay(&self) -> ApiResult<Turn> {
        self.next(&self.replaying).await
    }

    /// To look for what may be rare, or not there at all, in a long list.
    pub async fn search(&self) -> ApiResult<Turn> {
        self.next(&self.searching).await
    }

    /// To follow a log's chain.
    pub async fn verify(&self) -> ApiResult<Turn> {
        self.next(&self.verifying).await
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

fn semaphore(at_once: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(at_once))
}

#[cfg(test)]
mod tests {
    use axum::http::{StatusCode, header};
    use axum::response::IntoResponse as _;

    use super::*;

    #[tokio::test]
    async fn more_heavy_requests_than_there_are_turns_are_told_to_come_back_later() {
        let turns = Turns::waiting_for(Duration::ZERO);
        let mut held = Vec::new();
        for _ in 0..COUNTING_AT_ONCE {
            held.push(turns.count().await.expect("a turn"));
        }
        let refused = turns.count().await.expect_err("no turn").into_response();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()[header::RETRY_AFTER], "5");
        for _ in 0..REPLAYING_AT_ONCE {
            held.push(turns.replay().await.expect("a turn of another kind"));
        }
        assert!(turns.replay().await.is_err());
        held.clear();
        assert!(turns.count().await.is_ok());
        assert!(turns.replay().await.is_ok());
    }
}
