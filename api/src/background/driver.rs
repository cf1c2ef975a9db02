//! Runs a worker: woken by whoever changed something, by the clock in any case, until told to stop.
//!
//! Invariants: the wake-up is armed before the worker looks, so that no change falls between looking and sleeping; a
//! worker never takes anything from the wake-up itself, it always looks at the state. Failure: logged, and tried again
//! after the period; a worker never ends by itself.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::metrics;

/// What a look at the state found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Something was done; there may be more.
    Work,
    Nothing,
}

/// Wakes every worker of one kind in this process.
#[derive(Debug, Clone, Default)]
pub struct WakeUp {
    notify: Arc<Notify>,
}

impl WakeUp {
    pub fn wake(&self) {
        self.notify.notify_waiters();
    }
}

/// Looks again and again until `stop`; a look that has begun is finished.
pub async fn drive<F, Fut, E>(
    worker: &'static str,
    period: Duration,
    wake_up: &WakeUp,
    stop: &CancellationToken,
    mut look: F,
) where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Found, E>>,
    E: Display,
{
    while !stop.is_cancelled() {
        let woken = wake_up.notify.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let begun = Instant::now();
        let outcome = look().await;
        metrics::worker_pass(worker, word(&outcome), begun.elapsed());
        match outcome {
            Ok(Found::Work) => continue,
            Ok(Found::Nothing) => {}
            Err(err) => tracing::warn!(worker, error = %err, "worker failed; it tries again"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = &mut woken => {}
            () = tokio::time::sleep(period) => {}
        }
    }
    tracing::debug!(worker, "worker stopped");
}

fn word<E>(outcome: &Result<Found, E>) -> &'static str {
    match outcome {
        Ok(Found::Work) => "work",
        Ok(Found::Nothing) => "nothing",
        Err(_) => "failed",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_change_made_while_looking_is_seen_without_waiting_for_the_period() {
        let wake_up = WakeUp::default();
        let stop = CancellationToken::new();
        let looks = AtomicU32::new(0);
        let driven = drive(
            "test",
            Duration::from_secs(3600),
            &wake_up,
            &stop,
            || async {
                if looks.fetch_add(1, Ordering::SeqCst) == 0 {
                    wake_up.wake();
                } else {
                    stop.cancel();
                }
                Ok::<_, String>(Found::Nothing)
            },
        );
        tokio::time::timeout(Duration::from_secs(10), driven)
            .await
            .expect("woken");
        assert_eq!(looks.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_failing_worker_goes_on() {
        let stop = CancellationToken::new();
        let wake_up = WakeUp::default();
        let looks = AtomicU32::new(0);
        let driven = drive(
            "test",
            Duration::from_millis(1),
            &wake_up,
            &stop,
            || async {
                if looks.fetch_add(1, Ordering::SeqCst) == 2 {
                    stop.cancel();
                }
                Err::<Found, _>("no database")
            },
        );
        tokio::time::timeout(Duration::from_secs(10), driven)
            .await
            .expect("stopped");
        assert_eq!(looks.load(Ordering::SeqCst), 3);
    }
}
