//! A language that agents are told in.

use jiff::ZonedDateTime;
use ringfence_policy::Language;

use super::{english::ENGLISH, spanish::SPANISH};

/// What there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Limit {
        redialling_prolongs: bool,
    },
    Blocked,
    Unavailable,
    /// The call may be ringing.
    NotStopped,
}

pub(super) struct Told<'a> {
    /// Empty where the call had none.
    pub(super) number: &'a str,
    /// The rule's name, and the rule in one sentence.
    pub(super) rule: Option<(&'a str, String)>,
    /// When to try again, and how long that is; none: never, as far as anybody knows.
    pub(super) retry: Option<(String, String)>,
}

pub(super) struct Tongue {
    pub(super) title: fn(Subject) -> &'static str,
    pub(super) text: fn(Subject, &Told<'_>) -> String,
    /// A time as the language writes it.
    pub(super) moment: fn(&ZonedDateTime) -> String,
    /// So many seconds from now.
    pub(super) wait: fn(i64) -> String,
}

impl Tongue {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::Es => &SPANISH,
        }
    }
}

/// A time of day with the name of its clock. Where the zone has no letters for itself, the offset tells it.
pub(super) fn clock_time(at: &ZonedDateTime) -> String {
    let letters = at.strftime("%Z").to_string();
    if letters.chars().all(|c| c.is_ascii_alphabetic()) {
        format!("{} {letters}", at.strftime("%H:%M:%S"))
    } else {
        at.strftime("%H:%M:%S UTC%:z").to_string()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
}

/// In the unit that a person would use; rounded up, so that whoever waits as long is not too early.
pub(super) fn rounded(seconds: i64) -> (i64, Unit) {
    match seconds {
        ..120 => (seconds, Unit::Second),
        120..7200 => (seconds.saturating_add(59) / 60, Unit::Minute),
        _ => (seconds.saturating_add(3599) / 3600, Unit::Hour),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(time: &str, zone: &str) -> String {
        let at: jiff::Timestamp = time.parse().unwrap();
        clock_time(&at.in_tz(zone).unwrap())
    }

    #[test]
    fn a_time_of_day_names_its_clock_by_letters_or_by_offset() {
        assert_eq!(clock("2026-11-25T18:00:00Z", "UTC"), "18:00:00 UTC");
        assert_eq!(
            clock("2026-11-25T18:00:00Z", "America/New_York"),
            "13:00:00 EST"
        );
        assert_eq!(
            clock("2026-07-25T18:00:00Z", "America/New_York"),
            "14:00:00 EDT"
        );
        assert_eq!(
            clock("2026-11-25T18:00:00Z", "America/Sao_Paulo"),
            "15:00:00 UTC-03:00"
        );
        assert_eq!(
            clock("2026-11-25T18:00:00Z", "Asia/Kathmandu"),
            "23:45:00 UTC+05:45"
        );
    }

    #[test]
    fn waits_are_told_in_the_unit_a_person_would_use_and_never_too_short() {
        let told = [1, 60, 119, 121, 3540, 7199, 7201, 9000].map(rounded);
        assert_eq!(
            told,
            [
                (1, Unit::Second),
                (60, Unit::Second),
                (119, Unit::Second),
                (3, Unit::Minute),
                (59, Unit::Minute),
                (120, Unit::Minute),
                (3, Unit::Hour),
                (3, Unit::Hour)
            ]
        );
    }
}
