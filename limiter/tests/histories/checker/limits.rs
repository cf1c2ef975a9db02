//! What each kind of limit promises, counted the slow and obvious way.
//!
//! When an attempt stood in line is known only within bounds: no earlier than its own clock, no later than the latest
//! clock of anybody who had begun by then. `surely_denies` takes the bounds in the attempt's favour, `possibly_denies`
//! against it; between the two nothing is claimed. Where clocks agree and nothing overlaps, both are exact.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::rules::{Kind, Period};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub earliest: i64,
    pub latest: i64,
}

/// Whether an attempt with all of these counted before it must have been denied.
pub fn surely_denies(kind: Kind, before: &[Span], at: Span) -> bool {
    let how_many = |counts: &dyn Fn(&Span) -> bool| before.iter().filter(|one| counts(one)).count();
    match kind {
        Kind::Sliding {
            max,
            window_seconds,
        } => {
            let window_ms = i64::from(window_seconds) * 1000;
            how_many(&|one| at.latest - one.earliest < window_ms) >= max as usize
        }
        Kind::ConsecutiveDays { max, days, zone } => {
            let today = day(at.latest, zone);
            how_many(&|one| today - day(one.earliest, zone) < i64::from(days)) >= max as usize
        }
        Kind::Calendar { max, period, zone } => {
            let current = number_of(period, at.latest, zone);
            how_many(&|one| number_of(period, one.earliest, zone) == current) >= max as usize
        }
        Kind::UntilQuiet {
            block_at,
            quiet_seconds,
        } => {
            let quiet_ms = i64::from(quiet_seconds) * 1000;
            let mut newest_first = before.to_vec();
            newest_first.sort_by_key(|one| -one.earliest);
            let mut later = at.latest;
            let series = newest_first.iter().take_while(|one| {
                let belongs = later - one.earliest <= quiet_ms;
                later = one.latest;
                belongs
            });
            series.count() + 1 >= block_at as usize
        }
        Kind::Pace {
            max,
            per_seconds,
            burst,
        } => {
            let interval_us = interval_us(max, per_seconds);
            let mut times_us: Vec<i64> = before.iter().map(|one| one.earliest * 1000).collect();
            times_us.sort_unstable();
            // What went out over the limit, for want of a stop, fills the burst and no more.
            let free_at_us = times_us.iter().fold(i64::MIN, |free_at_us, at_us| {
                let taken = free_at_us.max(*at_us) + interval_us;
                taken.min(at_us + i64::from(burst) * interval_us)
            });
            let in_advance_us = i64::from(burst - 1) * interval_us;
            free_at_us > at.latest * 1000 + in_advance_us
        }
    }
}

/// Whether an attempt may have been denied if at most these counted before it.
pub fn possibly_denies(kind: Kind, before: &[Span], at: Span) -> bool {
    let how_many = |counts: &dyn Fn(&Span) -> bool| before.iter().filter(|one| counts(one)).count();
    match kind {
        Kind::Sliding {
            max,
            window_seconds,
        } => {
            let window_ms = i64::from(window_seconds) * 1000;
            // Above this many, admissions are summed up, and leave the window up to a sixty-fourth of it late.
            let late_ms = if max > 256 { window_ms / 64 } else { 0 };
            how_many(&|one| at.earliest - one.latest < window_ms + late_ms) >= max as usize
        }
        Kind::ConsecutiveDays { max, days, zone } => {
            let today = day(at.earliest, zone);
            how_many(&|one| today - day(one.latest, zone) < i64::from(days)) >= max as usize
        }
        Kind::Calendar { max, period, zone } => {
            let number = |at_ms| number_of(period, at_ms, zone);
            (number(at.earliest)..=number(at.latest)).any(|current| {
                let counts =
                    |one: &Span| (number(one.earliest)..=number(one.latest)).contains(&current);
                how_many(&counts) >= max as usize
            })
        }
        Kind::UntilQuiet {
            block_at,
            quiet_seconds,
        } => {
            let quiet_ms = i64::from(quiet_seconds) * 1000;
            let mut newest_first = before.to_vec();
            newest_first.sort_by_key(|one| -one.latest);
            let mut later = at.earliest;
            let series = newest_first.iter().take_while(|one| {
                let belongs = later - one.latest <= quiet_ms;
                later = later.min(one.earliest);
                belongs
            });
            series.count() + 1 >= block_at as usize
        }
        Kind::Pace {
            max,
            per_seconds,
            burst,
        } => before.iter().any(|first| {
            let since = how_many(&|one| one.latest >= first.latest);
            outruns(max, per_seconds, burst, since, at.earliest - first.latest)
        }),
    }
}

fn interval_us(max: u32, per_seconds: u32) -> i64 {
    (i64::from(per_seconds) * 1_000_000 + i64::from(max) - 1) / i64::from(max)
}

/// Whether one more than `admitted` within `elapsed_ms` would be faster than the pace with its burst.
fn outruns(max: u32, per_seconds: u32, burst: u32, admitted: usize, elapsed_ms: i64) -> bool {
    let interval_us = interval_us(max, per_seconds);
    let earned_us = elapsed_ms.max(0) * 1000 + i64::from(burst - 1) * interval_us;
    i64::try_from(admitted).unwrap() * interval_us > earned_us
}

fn date(at_ms: i64, zone: &str) -> Date {
    let at = Timestamp::from_millisecond(at_ms).unwrap();
    at.in_tz(zone).unwrap().date()
}

/// Civil days since 1970.
fn day(at_ms: i64, zone: &str) -> i64 {
    let midnight = date(at_ms, zone).in_tz("UTC").unwrap();
    midnight.timestamp().as_second().div_euclid(24 * 60 * 60)
}

/// Consecutive numbers for consecutive periods. 1970 began on a Thursday; weeks begin on Mondays.
fn number_of(period: Period, at_ms: i64, zone: &str) -> i64 {
    match period {
        Period::Day => day(at_ms, zone),
        Period::Week => (day(at_ms, zone) + 3).div_euclid(7),
        Period::Month => {
            let date = date(at_ms, zone);
            i64::from(date.year()) * 12 + i64::from(date.month())
        }
    }
}
