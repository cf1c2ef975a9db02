//! Civil days and periods of a time zone, as the milliseconds at which they begin.
//!
//! A day begins at its midnight; where the clocks jump over midnight, at the jump; where midnight comes twice, at the first.
//! Once begun, a day does not become the one before it again, even if the clocks go back over midnight: so what counts
//! "since this day began" only ever grows older. A day that a zone left out begins together with the next.

use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::limit::Period;

pub(crate) fn day_of(zone: &TimeZone, at_ms: u64) -> Date {
    let at = i64::try_from(at_ms)
        .ok()
        .and_then(|at_ms| Timestamp::from_millisecond(at_ms).ok())
        .unwrap_or(Timestamp::MAX);
    let day = zone.to_datetime(at).date();
    let next = later(day, 1);
    if begins(zone, next) <= at_ms {
        next
    } else {
        day
    }
}

/// The first millisecond of a day.
pub(crate) fn begins(zone: &TimeZone, day: Date) -> u64 {
    let midnight = zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0));
    let Ok(mut start) = midnight.compatible() else {
        return if day.year() < 1970 { 0 } else { u64::MAX };
    };
    if let AmbiguousOffset::Gap { .. } = midnight.offset() {
        // What stands in a gap is read as if the clocks had not jumped yet, so the jump itself was no later.
        let after = start.saturating_add(SignedDuration::from_millis(1));
        if let Some(jump) = after.ok().and_then(|after| zone.preceding(after).next()) {
            start = jump.timestamp();
        }
    }
    u64::try_from(start.as_millisecond()).unwrap_or(0)
}

pub(crate) fn later(day: Date, days: u32) -> Date {
    day.saturating_add(span(days))
}

pub(crate) fn earlier(day: Date, days: u32) -> Date {
    day.saturating_sub(span(days))
}

/// The first day of the period that a day belongs to.
pub(crate) fn first_of(period: Period, day: Date) -> Date {
    match period {
        Period::Day => day,
        Period::Week => {
            let since_monday = day.weekday().to_monday_zero_offset();
            earlier(day, since_monday.unsigned_abs().into())
        }
        Period::Month => day.first_of_month(),
    }
}

/// The first day of the period after the one that a day belongs to.
pub(crate) fn first_after(period: Period, day: Date) -> Date {
    match period {
        Period::Day => later(day, 1),
        Period::Week => later(first_of(period, day), 7),
        Period::Month => later(day.last_of_month(), 1),
    }
}

fn span(days: u32) -> SignedDuration {
    SignedDuration::from_hours(i64::from(days).saturating_mul(24))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZoneDatabase;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZoneDatabase::bundled().get(name).unwrap()
    }

    fn ms(text: &str) -> u64 {
        let at: Timestamp = text.parse().unwrap();
        at.as_millisecond().try_into().unwrap()
    }

    #[test]
    fn a_day_begins_at_midnight_or_where_the_clocks_jump_over_it() {
        for (name, day, start) in [
            ("UTC", date(2026, 11, 25), "2026-11-25T00:00:00Z"),
            ("America/New_York", date(2026, 3, 8), "2026-03-08T05:00:00Z"),
            (
                "America/Sao_Paulo",
                date(2015, 10, 18),
                "2015-10-18T03:00:00Z",
            ),
            (
                "Atlantic/Azores",
                date(2026, 10, 25),
                "2026-10-25T00:00:00Z",
            ),
            ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00:00Z"),
            ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00:00Z"),
        ] {
            assert_eq!(begins(&zone(name), day), ms(start), "{name} {day}");
        }
    }

    #[test]
    fn a_gap_that_begins_before_midnight_begins_the_day() {
        // No zone has had one since 1970, so this one is made up: from 23:30 to 00:30 on the last Saturday of March.
        let zone = TimeZone::posix("AAA0BBB,M3.5.6/23:30,M10.5.0/2").unwrap();
        assert_eq!(begins(&zone, date(2026, 3, 29)), ms("2026-03-28T23:30:00Z"));
    }

    #[test]
    fn a_day_once_begun_does_not_end_because_the_clocks_go_back_over_midnight() {
        let zone = zone("America/St_Johns");
        let midnight = ms("2010-11-07T02:30:00Z");
        assert_eq!(begins(&zone, date(2010, 11, 7)), midnight);
        let days = [-1, 0, 60_000, 3_600_000]
            .map(|offset| day_of(&zone, midnight.saturating_add_signed(offset)));
        assert_eq!(
            days,
            [
                date(2010, 11, 6),
                date(2010, 11, 7),
                date(2010, 11, 7),
                date(2010, 11, 7)
            ]
        );
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        let sunday = date(2026, 11, 29);
        assert_eq!(first_of(Period::Week, sunday), date(2026, 11, 23));
        assert_eq!(first_after(Period::Week, sunday), date(2026, 11, 30));
        assert_eq!(first_of(Period::Month, sunday), date(2026, 11, 1));
        assert_eq!(
            first_after(Period::Month, date(2026, 12, 31)),
            date(2027, 1, 1)
        );
        assert_eq!(
            first_after(Period::Day, date(2028, 2, 28)),
            date(2028, 2, 29)
        );
    }

    #[test]
    fn times_that_no_calendar_knows_are_no_panic() {
        for at_ms in [0, u64::MAX, (1 << 48) - 1] {
            for name in ["UTC", "Pacific/Apia"] {
                let day = day_of(&zone(name), at_ms);
                begins(&zone(name), later(day, 400));
                begins(&zone(name), earlier(day, 400));
            }
        }
    }
}
