//! How long to wait after failures in a row. Pure but for the spread, which is passed in.

use std::time::Duration;

use crate::aws::Jitter;

const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_mins(5);

/// Doubles with every failure up to five minutes, spread by half either way.
#[must_use]
pub fn backoff(failures: u32, jitter: &Jitter) -> Duration {
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(16)));
    jitter.spread(doubled.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_bounded() {
        let jitter = Jitter::new(7);
        let first = backoff(1, &jitter);
        assert!((1..=3).contains(&first.as_secs()), "{first:?}");
        for failures in [10, 1000, u32::MAX] {
            let wait = backoff(failures, &jitter);
            assert!(wait >= LONGEST / 2 && wait <= LONGEST * 3 / 2, "{wait:?}");
        }
    }
}
