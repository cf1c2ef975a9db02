//! So many requests in so much time, as a bucket that fills evenly: all of it at once, or spread, but never more.
//!
//! A bucket is known by one moment, when it will be whole again (the generic cell rate algorithm), so that nothing has to
//! run while nobody asks.

use jiff::{SignedDuration, Timestamp};

const SECOND: i64 = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub requests: u32,
    pub window_seconds: u32,
}

/// What each credential, and all of a tenant's together, may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    pub per_key: Rate,
    pub per_tenant: Rate,
}

impl RateLimits {
    #[must_use]
    pub fn per_minute(per_key: u32, per_tenant: u32) -> Self {
        let rate = |requests| Rate {
            requests,
            window_seconds: 60,
        };
        Self {
            per_key: rate(per_key),
            per_tenant: rate(per_tenant),
        }
    }
}

/// What is left in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    pub requests: u32,
    /// Until the bucket is whole again, rounded up.
    pub whole_in_seconds: u32,
}

impl Rate {
    /// Takes one request: when the bucket is whole again afterwards. `whole_at`: when it was to be before.
    /// Refused: how many seconds later there is one, rounded up.
    pub fn take(self, whole_at: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, u32> {
        let owed = self.owed(whole_at, now);
        let too_early = owed + self.step() - self.window();
        if too_early > 0 {
            return Err(seconds(too_early));
        }
        let whole_in = SignedDuration::from_micros(owed + self.step());
        Ok(now.checked_add(whole_in).unwrap_or(now))
    }

    #[must_use]
    pub fn left(self, whole_at: Option<Timestamp>, now: Timestamp) -> Left {
        let owed = self.owed(whole_at, now);
        let requests = (self.window() - owed) / self.step();
        Left {
            requests: u32::try_from(requests).unwrap_or(0).min(self.requests),
            whole_in_seconds: seconds(owed),
        }
    }

    /// How long until the bucket is whole. Never more than a window, also when the clock was set back.
    fn owed(self, whole_at: Option<Timestamp>, now: Timestamp) -> i64 {
        let owed = whole_at.map_or(0, |at| at.as_microsecond() - now.as_microsecond());
        owed.clamp(0, self.window())
    }

    fn window(self) -> i64 {
        i64::from(self.window_seconds) * SECOND
    }

    /// What one request costs.
    fn step(self) -> i64 {
        (self.window() / i64::from(self.requests.max(1))).max(1)
    }
}

fn seconds(micros: i64) -> u32 {
    u32::try_from(micros.max(0).unsigned_abs().div_ceil(SECOND.unsigned_abs())).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_microsecond(1_800_000_000_000_000 + micros).expect("a time")
    }

    #[test]
    fn all_of_it_may_be_taken_at_once_and_then_one_at_a_time() {
        let rate = Rate {
            requests: 3,
            window_seconds: 60,
        };
        let mut whole_at = None;
        for left in [2, 1, 0] {
            whole_at = Some(rate.take(whole_at, at(0)).expect("there is one"));
            assert_eq!(rate.left(whole_at, at(0)).requests, left);
        }
        assert_eq!(rate.take(whole_at, at(0)), Err(20));
        assert_eq!(rate.take(whole_at, at(20 * SECOND - 1)), Err(1));
        assert!(rate.take(whole_at, at(20 * SECOND)).is_ok());
        let left = rate.left(whole_at, at(30 * SECOND));
        assert_eq!((left.requests, left.whole_in_seconds), (1, 30));
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_out_for_longer_than_a_window() {
        let rate = Rate {
            requests: 2,
            window_seconds: 10,
        };
        let whole_at = rate.take(None, at(86_400 * SECOND)).expect("there is one");
        assert_eq!(rate.take(Some(whole_at), at(0)), Err(5));
    }

    proptest! {
        /// A full bucket and what flows in meanwhile is all that anybody gets, and what is told as left can be had.
        #[test]
        fn no_stretch_of_time_gets_more_than_a_bucket_and_what_flows_in(
            requests in 1_u32..50, window_seconds in 1_u32..90, gaps in prop::collection::vec(0_i64..3 * SECOND, 1..200),
        ) {
            let rate = Rate { requests, window_seconds };
            let (mut now, mut whole_at) = (0, None);
            let mut taken: Vec<i64> = Vec::new();
            for gap in gaps {
                now += gap;
                let left = rate.left(whole_at, at(now)).requests;
                match rate.take(whole_at, at(now)) {
                    Ok(later) => {
                        prop_assert!(left > 0);
                        whole_at = Some(later);
                        taken.push(now);
                    }
                    Err(seconds) => {
                        prop_assert_eq!(left, 0);
                        prop_assert!(rate.take(whole_at, at(now + i64::from(seconds) * SECOND)).is_ok());
                    }
                }
            }
            for (first, start) in taken.iter().enumerate() {
                for (last, end) in taken.iter().enumerate().skip(first) {
                    let most = i64::from(requests) + (end - start) / rate.step() + 1;
                    prop_assert!(i64::try_from(last - first).expect("few") < most);
                }
            }
        }
    }
}
