//! One budget of requests for each customer account and region.
//!
//! Amazon Connect counts requests per account and region, and that quota belongs to the customer: Ringfence must
//! never starve the customer's own software. All operations of this process share one budget.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Requests that may go out at once after a quiet time.
const BURST: u32 = 2;

/// Hands out the pacer of each account and region.
#[derive(Debug)]
pub struct Pacers {
    interval: Duration,
    by_place: Mutex<HashMap<(String, String), Arc<Pacer>>>,
}

impl Pacers {
    #[must_use]
    pub fn new(requests_per_second: f64) -> Self {
        Self {
            interval: Duration::from_secs_f64(1.0 / requests_per_second.clamp(0.01, 1000.0)),
            by_place: Mutex::default(),
        }
    }

    #[must_use]
    pub fn of(&self, account_id: &str, region: &str) -> Arc<Pacer> {
        let mut by_place = self.by_place.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            by_place
                .entry((account_id.to_owned(), region.to_owned()))
                .or_insert_with(|| Arc::new(Pacer::new(self.interval))),
        )
    }
}

/// A token bucket kept as the time at which it would be empty of debt.
#[derive(Debug)]
pub struct Pacer {
    interval: Duration,
    next_at: Mutex<Option<Instant>>,
}

impl Pacer {
    fn new(interval: Duration) -> Self {
        Self {
            interval,
            next_at: Mutex::new(None),
        }
    }

    /// Waits for this request's turn.
    pub async fn turn(&self) {
        let at = self.reserve(Instant::now());
        sleep_until(at).await;
    }

    /// After the service throttled: nobody in this account and region asks again before `pause` is over.
    pub fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause + self.tolerance();
        let mut next_at = self.next_at.lock().unwrap_or_else(PoisonError::into_inner);
        *next_at = Some(next_at.map_or(until, |at| at.max(until)));
    }

    fn tolerance(&self) -> Duration {
        self.interval * (BURST - 1)
    }

    fn reserve(&self, now: Instant) -> Instant {
        let mut next_at = self.next_at.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = next_at.map_or(now, |at| at.max(now));
        *next_at = Some(slot + self.interval);
        slot.checked_sub(self.tolerance())
            .map_or(now, |at| at.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_burst_requests_keep_the_agreed_distance() {
        let pacer = Pacer::new(Duration::from_secs(1));
        let now = Instant::now();
        let waits: Vec<u64> = (0..5)
            .map(|_| (pacer.reserve(now) - now).as_secs())
            .collect();
        assert_eq!(waits, [0, 0, 1, 2, 3]);
    }

    #[test]
    fn a_quiet_time_earns_no_more_than_the_burst() {
        let pacer = Pacer::new(Duration::from_secs(1));
        let start = Instant::now();
        pacer.reserve(start);
        let later = start + Duration::from_secs(60);
        let waits: Vec<u64> = (0..4)
            .map(|_| (pacer.reserve(later) - later).as_secs())
            .collect();
        assert_eq!(waits, [0, 0, 1, 2]);
    }

    #[test]
    fn one_account_and_region_is_one_budget() {
        let pacers = Pacers::new(1.0);
        assert!(Arc::ptr_eq(
            &pacers.of("1", "us-east-1"),
            &pacers.of("1", "us-east-1")
        ));
        assert!(!Arc::ptr_eq(
            &pacers.of("1", "us-east-1"),
            &pacers.of("1", "eu-west-2")
        ));
        assert!(!Arc::ptr_eq(
            &pacers.of("1", "us-east-1"),
            &pacers.of("2", "us-east-1")
        ));
    }
}
