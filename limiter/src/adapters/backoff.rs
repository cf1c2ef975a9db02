//! Waits between attempts: doubling, spread by jitter, never past a deadline.
//!
//! The jitter is drawn from the contact id, which is random already: simultaneous denials wait for different times, and
//! no generator has to be passed about.

use std::time::Duration;

use tokio::time::{Instant, sleep};

const FIRST_MS: u64 = 100;
const LONGEST_MS: u64 = 1000;

#[derive(Debug)]
pub(super) struct Backoff {
    until: Instant,
    waits_left: u32,
    first_ms: u64,
    step: u32,
    dice: u64,
}

impl Backoff {
    pub(super) fn new(until: Instant, seed: &str) -> Self {
        let dice = seed.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self {
            until,
            waits_left: u32::MAX,
            first_ms: FIRST_MS,
            step: 0,
            dice,
        }
    }

    /// No more than so many attempts in all, and longer waits between them: for what may be given up.
    pub(super) fn patient(self, attempts: u32, first: Duration) -> Self {
        Self {
            waits_left: attempts.saturating_sub(1),
            first_ms: u64::try_from(first.as_millis()).unwrap_or(LONGEST_MS),
            ..self
        }
    }

    fn next(&mut self) -> Duration {
        let longest = self
            .first_ms
            .saturating_mul(1 << self.step.min(10))
            .min(LONGEST_MS);
        self.step = self.step.saturating_add(1);
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let half = longest / 2;
        Duration::from_millis(half.saturating_add((self.dice >> 33) % half.max(1)))
    }

    /// Waits; false, at once, when the wait would reach the deadline or there are no attempts left.
    pub(super) async fn wait(&mut self) -> bool {
        let Some(left) = self.waits_left.checked_sub(1) else {
            return false;
        };
        self.waits_left = left;
        let pause = self.next();
        if Instant::now() + pause >= self.until {
            return false;
        }
        sleep(pause).await;
        true
    }

    pub(super) fn until(&self) -> Instant {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_second_and_differ_between_contacts() {
        let waits = |seed: &str| {
            let mut backoff = Backoff::new(Instant::now(), seed);
            (0..8)
                .map(|_| backoff.next().as_millis())
                .collect::<Vec<_>>()
        };
        let one = waits("4a573372-1f28-4e26-b97b-000000000001");
        assert_ne!(one, waits("4a573372-1f28-4e26-b97b-000000000002"));
        assert!(
            (50..100).contains(&one[0]) && (500..1000).contains(&one[7]),
            "{one:?}"
        );
    }
}
