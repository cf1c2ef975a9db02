//! How many attempts, and over what time.

use serde::Serialize;

use crate::zone::Zone;

const DAY_SECONDS: u32 = 86_400;
/// Nobody is told that smaller limits are near.
const NEAR_FROM: u32 = 5;
const FIFTH: u32 = 5;

/// A civil period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    Day,
    /// From Monday, as ISO 8601 has it.
    Week,
    Month,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Limit {
    /// Attempts are numbered since the last silence longer than `quiet_seconds`; number `block_at` and above are denied,
    /// and every attempt, denied ones too, restarts the silence.
    UntilQuiet { block_at: u32, quiet_seconds: u32 },
    /// At most `max` admitted attempts in any window of `window_seconds`; denied attempts do not count.
    Sliding { max: u32, window_seconds: u32 },
    /// At most `max` admitted attempts on any `days` consecutive civil days.
    ConsecutiveDays {
        max: u32,
        days: u32,
        time_zone: Zone,
    },
    /// At most `max` admitted attempts in each civil period.
    Calendar {
        max: u32,
        period: Period,
        time_zone: Zone,
    },
    /// A steady rate: `max` per `per_seconds`, evenly spaced, of which `burst` may come at once.
    Pace {
        max: u32,
        per_seconds: u32,
        burst: u32,
    },
}

impl Limit {
    /// How many attempts are admitted before the first denial.
    pub fn admits(&self) -> u32 {
        match self {
            Self::UntilQuiet { block_at, .. } => block_at.saturating_sub(1),
            Self::Sliding { max, .. }
            | Self::ConsecutiveDays { max, .. }
            | Self::Calendar { max, .. } => *max,
            Self::Pace { burst, .. } => *burst,
        }
    }

    /// The number of the attempt, counted with those before it, that comes near to the limit: the first to take four fifths of
    /// it. None where so few are admitted that it would be told with the end already in sight, and for `pace`, which counts how
    /// far ahead of its rate it is.
    pub fn near_at(&self) -> Option<u32> {
        let max = self.admits();
        (max >= NEAR_FROM && !self.is_pace()).then(|| max.saturating_sub(max / FIFTH))
    }

    /// How long an attempt can matter, at most. A civil day may be an hour longer than 24, or skipped days may lie
    /// between; one more day covers that.
    pub fn memory_seconds(&self) -> u32 {
        let days = |days: u32| days.saturating_add(1).saturating_mul(DAY_SECONDS);
        match self {
            Self::UntilQuiet { quiet_seconds, .. } => *quiet_seconds,
            Self::Sliding { window_seconds, .. } => *window_seconds,
            Self::ConsecutiveDays { days: count, .. } => days(*count),
            Self::Calendar { period, .. } => days(match period {
                Period::Day => 1,
                Period::Week => 7,
                Period::Month => 31,
            }),
            Self::Pace { burst, .. } => self
                .emission_interval_us()
                .saturating_mul(u64::from(*burst))
                .div_ceil(1_000_000)
                .try_into()
                .unwrap_or(u32::MAX),
        }
    }

    /// The time that one admitted attempt of a `pace` limit takes, in microseconds: rounded up, so that rounding never
    /// makes the rate higher. Zero for other kinds.
    pub fn emission_interval_us(&self) -> u64 {
        match self {
            Self::Pace {
                max, per_seconds, ..
            } => u64::from(*per_seconds)
                .saturating_mul(1_000_000)
                .div_ceil(u64::from(*max).max(1)),
            _ => 0,
        }
    }

    pub(crate) fn is_pace(&self) -> bool {
        matches!(self, Self::Pace { .. })
    }
}
