//! How the kinds of limit count what stands before an attempt in a meter's line.
//!
//! `sliding`, `consecutive_days` and `calendar` count what was admitted within a window; `until_quiet` counts a series;
//! `pace` counts how far ahead of its rate a meter is.

pub(crate) mod civil;
mod line;
pub(crate) mod pace;
mod series;
pub(crate) mod window;

pub(crate) use line::{ContactHasher, Counts, Firsts, Line};

use crate::limit::Limit;
use window::Window;

/// An invocation ends within this time, so an older reservation has been decided.
const DECIDED_WITHIN_MS: u64 = 10_000;

/// A limit's view of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) count: u32,
    pub(crate) denied: bool,
    /// The first millisecond at which the limit would admit the next attempt; absent where it would at once. A limit that
    /// counts denied attempts may have none left although it did not deny this one.
    pub(crate) blocks_until_ms: Option<u64>,
    /// Names the stretch of denials that this one belongs to: the same for every redial until the limit admits again.
    pub(crate) stretch_ms: u64,
}

impl Count {
    fn admits(count: u32, at_ms: u64) -> Self {
        Self {
            count,
            denied: false,
            blocks_until_ms: None,
            stretch_ms: at_ms,
        }
    }

    fn denies_until(until_ms: u64, count: u32) -> Self {
        Self {
            count,
            denied: true,
            blocks_until_ms: Some(until_ms),
            stretch_ms: until_ms,
        }
    }
}

impl Line<'_> {
    /// `enforced`: whether the rule denies what it counts too many of; `own_counts`: whether this attempt will itself
    /// count for rules that count denied attempts.
    pub(crate) fn count(&self, limit: &Limit, enforced: bool, own_counts: bool) -> Count {
        match limit {
            Limit::UntilQuiet {
                block_at,
                quiet_seconds,
            } => series::count(self, *block_at, millis(*quiet_seconds), own_counts),
            Limit::Pace { burst, .. } => {
                pace::count(self, limit.emission_interval_us(), *burst, enforced)
            }
            Limit::Sliding { .. } | Limit::ConsecutiveDays { .. } | Limit::Calendar { .. } => {
                match Window::of(limit) {
                    Some(window) => window::count(self, limit.admits(), &window, enforced),
                    None => Count::admits(0, self.at_ms),
                }
            }
        }
    }

    /// Whether an entry may still be a reservation that is about to be released.
    fn is_young(&self, at_ms: u64) -> bool {
        self.at_ms.saturating_sub(at_ms) < DECIDED_WITHIN_MS
    }
}

pub(crate) fn millis(seconds: u32) -> u64 {
    u64::from(seconds).saturating_mul(1000)
}
