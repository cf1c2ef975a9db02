//! Work that must end by a given time and must not take the process down.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::time::{Instant, timeout_at};

use crate::adapters::Failure;

/// Why an attempt was decided without counting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unavailable {
    #[error("the store did not answer in time")]
    TooSlow,
    #[error("the limiter failed")]
    Panicked,
    #[error("{0}")]
    Failed(Failure),
}

/// A panic counts as a failure: half-done work is safe to leave, because a log says itself what was written.
pub(crate) async fn guarded<T>(
    until: Instant,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Unavailable> {
    match timeout_at(until, AssertUnwindSafe(work).catch_unwind()).await {
        Err(_) => Err(Unavailable::TooSlow),
        Ok(Err(_)) => Err(Unavailable::Panicked),
        Ok(Ok(Err(failure))) => Err(Unavailable::Failed(failure)),
        Ok(Ok(Ok(done))) => Ok(done),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_takes_too_long_or_panics_is_a_failure_like_any_other() {
        let soon = || Instant::now() + Duration::from_millis(20);
        let slow: Result<(), _> = guarded(soon(), std::future::pending()).await;
        assert_eq!(slow, Err(Unavailable::TooSlow));
        let panicking: Result<(), _> =
            guarded(soon(), async { panic!("as a test of the guard") }).await;
        assert_eq!(panicking, Err(Unavailable::Panicked));
        assert_eq!(guarded(soon(), async { Ok(1) }).await, Ok(1));
    }
}
