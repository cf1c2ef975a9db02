//! `sliding`, `consecutive_days` and `calendar`: so many admitted within a window of time.

use jiff::tz::TimeZone;

use super::civil::{begins, day_of, earlier, first_after, first_of, later};
use super::{Count, Line, millis};
use crate::limit::{Limit, Period};

/// What a limit looks back on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Window<'l> {
    Sliding { ms: u64 },
    Days { days: u32, zone: &'l TimeZone },
    Period { period: Period, zone: &'l TimeZone },
}

impl<'l> Window<'l> {
    pub(crate) fn of(limit: &'l Limit) -> Option<Self> {
        match limit {
            Limit::Sliding { window_seconds, .. } => Some(Self::Sliding {
                ms: millis(*window_seconds),
            }),
            Limit::ConsecutiveDays {
                days, time_zone, ..
            } => Some(Self::Days {
                days: *days,
                zone: time_zone.time_zone(),
            }),
            Limit::Calendar {
                period, time_zone, ..
            } => Some(Self::Period {
                period: *period,
                zone: time_zone.time_zone(),
            }),
            Limit::UntilQuiet { .. } | Limit::Pace { .. } => None,
        }
    }

    /// The earliest millisecond that counts for an attempt at this time; it only ever grows.
    pub(crate) fn since(&self, at_ms: u64) -> u64 {
        match self {
            Self::Sliding { ms } => at_ms.saturating_add(1).saturating_sub(*ms),
            Self::Days { days, zone } => {
                begins(zone, earlier(day_of(zone, at_ms), days.saturating_sub(1)))
            }
            Self::Period { period, zone } => begins(zone, first_of(*period, day_of(zone, at_ms))),
        }
    }

    /// The earliest millisecond that counts, if it is the same all this time: asking a time zone is slow.
    fn steady(&self, from_ms: u64, to_ms: u64) -> Option<u64> {
        let since_ms = match self {
            Self::Sliding { .. } => return None,
            Self::Days { .. } | Self::Period { .. } => self.since(from_ms),
        };
        (since_ms == self.since(to_ms)).then_some(since_ms)
    }

    /// The first millisecond at which an admission at this time counts no more.
    fn left_at(&self, admitted_ms: u64) -> u64 {
        match self {
            Self::Sliding { ms } => admitted_ms.saturating_add(*ms),
            Self::Days { days, zone } => begins(zone, later(day_of(zone, admitted_ms), *days)),
            Self::Period { period, zone } => {
                begins(zone, first_after(*period, day_of(zone, admitted_ms)))
            }
        }
    }
}

pub(super) fn count(line: &Line<'_>, max: u32, window: &Window<'_>, enforced: bool) -> Count {
    if line.before.is_empty() {
        return Count::admits(0, line.at_ms);
    }
    let since_ms = window.since(line.at_ms);
    let all = line
        .admitted()
        .rev()
        .map(|standing| (standing.at_ms, standing.attempts));
    let (count, full_from) = within(all, since_ms, max);
    let Some(full_from) = full_from else {
        return Count::admits(count, line.at_ms);
    };
    // Denied is denied; but of how long, a crowd of reservations about to be released tells too much.
    let settled = if enforced {
        settled(line, max, window)
    } else {
        Vec::new()
    };
    match within(settled.iter().rev().copied(), since_ms, max) {
        (count, Some(sooner)) => Count::denies_until(window.left_at(sooner), count),
        (_, None) => Count::denies_until(window.left_at(full_from), count),
    }
}

/// How many of these attempts, the latest first, are in the window; and, once they are `max`, the time of the one whose
/// leaving frees the first place.
fn within(
    latest_first: impl Iterator<Item = (u64, u32)>,
    since_ms: u64,
    max: u32,
) -> (u32, Option<u64>) {
    let mut count: u32 = 0;
    let mut full_from = None;
    for (at_ms, attempts) in latest_first.take_while(|(at_ms, _)| *at_ms >= since_ms) {
        count = count.saturating_add(attempts);
        if count >= max && full_from.is_none() {
            full_from = Some(at_ms);
        }
    }
    (count, full_from)
}

/// The admitted attempts without those that are young and stand beyond the maximum: the rule is denying them just now, and
/// they have only not been marked yet.
fn settled(line: &Line<'_>, max: u32, window: &Window<'_>) -> Vec<(u64, u32)> {
    let mut settled: Vec<(u64, u32)> = Vec::with_capacity(line.before.len());
    let mut left = 0;
    let mut count: u32 = 0;
    let young = line
        .admitted()
        .find(|standing| line.is_young(standing.at_ms));
    let steady = young.and_then(|young| window.steady(young.at_ms, line.at_ms));
    for standing in line.admitted() {
        if line.is_young(standing.at_ms) {
            let since_ms = steady.unwrap_or_else(|| window.since(standing.at_ms));
            while let Some((at_ms, attempts)) = settled.get(left)
                && *at_ms < since_ms
            {
                count = count.saturating_sub(*attempts);
                left = left.saturating_add(1);
            }
            if count >= max {
                continue;
            }
        }
        count = count.saturating_add(standing.attempts);
        settled.push((standing.at_ms, standing.attempts));
    }
    settled
}
