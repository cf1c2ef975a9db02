//! Time as the harness gives it: each delivery says what the clock of its process shows.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use ringfence_limiter::Clock;

tokio::task_local! {
    static SHOWS_MS: i64;
}

/// What is done outside any delivery sees the time of the last one.
#[derive(Default)]
pub struct GivenClock(AtomicI64);

impl Clock for GivenClock {
    fn now(&self) -> Timestamp {
        let now_ms = SHOWS_MS
            .try_with(|ms| *ms)
            .unwrap_or_else(|_| self.0.load(Ordering::SeqCst));
        self.0.store(now_ms, Ordering::SeqCst);
        Timestamp::from_millisecond(now_ms).unwrap()
    }
}

pub async fn at<T>(now_ms: i64, work: impl Future<Output = T>) -> T {
    SHOWS_MS.scope(now_ms, work).await
}
