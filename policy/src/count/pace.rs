//! `pace`: every admitted attempt takes one interval of a rate; a burst of them may be taken in advance.
//!
//! The generic cell rate algorithm, in whole microseconds. An attempt that went out although the limit was reached (under
//! a rule in shadow, or before the limit was lowered) fills the burst and no more: otherwise a rule that was only watching
//! would, once enforced, deny for as long as it had been exceeded.

use super::{Count, Line};
use crate::past::{Paced, Past};

/// How far a rate has got.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    interval_us: u64,
    burst: u32,
    /// The time by which all that was taken will be free again.
    arrival_us: u64,
}

impl Bucket {
    /// As it was when the log was last folded. Where another rate was folded, what it had taken is carried over.
    pub(crate) fn of(past: &Past, interval_us: u64, burst: u32) -> Self {
        let until_us = micros(past.paced_until_ms);
        let full_us = interval_us.saturating_mul(u64::from(burst));
        let carried = |paced: &Paced| {
            let ahead_us = paced.arrival_us.saturating_sub(until_us);
            if paced.interval_us == interval_us {
                return ahead_us;
            }
            let taken = ahead_us.div_ceil(paced.interval_us.max(1));
            taken.saturating_mul(interval_us)
        };
        let same = past
            .paced
            .iter()
            .find(|paced| paced.interval_us == interval_us && paced.burst == burst);
        let ahead_us = match same {
            Some(paced) => carried(paced),
            None => past.paced.iter().map(carried).max().unwrap_or(0),
        };
        Self {
            interval_us,
            burst,
            arrival_us: until_us.saturating_add(ahead_us.min(full_us)),
        }
    }

    pub(crate) fn take(&mut self, at_ms: u64) {
        let at_us = micros(at_ms);
        let full_us = self.interval_us.saturating_mul(u64::from(self.burst));
        self.arrival_us = self
            .arrival_us
            .max(at_us)
            .saturating_add(self.interval_us)
            .min(at_us.saturating_add(full_us));
    }

    pub(crate) fn paced(&self) -> Paced {
        Paced {
            interval_us: self.interval_us,
            burst: self.burst,
            arrival_us: self.arrival_us,
        }
    }

    /// How much of the burst is taken.
    fn taken(&self, at_ms: u64) -> u32 {
        let ahead_us = self.arrival_us.saturating_sub(micros(at_ms));
        u32::try_from(ahead_us.div_ceil(self.interval_us.max(1))).unwrap_or(u32::MAX)
    }

    fn is_full(&self, at_ms: u64) -> bool {
        self.taken(at_ms) >= self.burst
    }

    /// The first millisecond at which an attempt fits.
    fn admits_at(&self) -> u64 {
        let in_advance = u64::from(self.burst.saturating_sub(1));
        self.arrival_us
            .saturating_sub(self.interval_us.saturating_mul(in_advance))
            .div_ceil(1000)
    }
}

pub(super) fn count(line: &Line<'_>, interval_us: u64, burst: u32, enforced: bool) -> Count {
    let mut all = Bucket::of(line.past, interval_us, burst);
    let mut settled = all;
    for standing in line.admitted() {
        all.take(standing.at_ms);
        // Denied is denied; but of how long, a crowd of reservations about to be released tells too much.
        let released = enforced && line.is_young(standing.at_ms) && settled.is_full(standing.at_ms);
        if !released {
            settled.take(standing.at_ms);
        }
    }
    let taken = all.taken(line.at_ms);
    if !all.is_full(line.at_ms) {
        return Count::admits(taken, line.at_ms);
    }
    let told = if settled.is_full(line.at_ms) {
        settled
    } else {
        all
    };
    Count::denies_until(told.admits_at(), told.taken(line.at_ms))
}

fn micros(at_ms: u64) -> u64 {
    at_ms.saturating_mul(1000)
}
