//! Notices in English.

use jiff::ZonedDateTime;

use super::tongue::{Subject, Told, Tongue, Unit, clock_time, rounded};

pub(super) const ENGLISH: Tongue = Tongue {
    title,
    text,
    moment,
    wait,
};

fn title(subject: Subject) -> &'static str {
    match subject {
        Subject::Limit { .. } => "Call not placed: limit reached",
        Subject::Blocked => "Call not placed: number blocked",
        Subject::Unavailable => "Call not placed: limits not available",
        Subject::NotStopped => "Over a limit: please hang up",
    }
}

fn text(subject: Subject, told: &Told<'_>) -> String {
    let call = match told.number {
        "" => "The call".to_owned(),
        number => format!("The call to {number}"),
    };
    match subject {
        Subject::Limit {
            redialling_prolongs,
        } => limit(&call, told, redialling_prolongs),
        Subject::Blocked => match &told.retry {
            Some((moment, wait)) => format!(
                "{call} was not placed, because the number is blocked. The block ends at {moment}, {wait}."
            ),
            None => format!(
                "{call} was not placed, because the number is blocked. The block has no end: please do not try again."
            ),
        },
        Subject::Unavailable => format!(
            "{call} was not placed, because its limits could not be checked. Try again in a minute."
        ),
        Subject::NotStopped => format!(
            "{call} is over a limit and could not be stopped. If it is ringing or connected, please hang up."
        ),
    }
}

fn limit(call: &str, told: &Told<'_>, redialling_prolongs: bool) -> String {
    let mut text = format!("{call} was not placed, because a limit was reached.");
    if let Some((name, limit)) = &told.rule {
        text.push_str(&format!(" {name}: {limit}."));
    }
    if let Some((moment, wait)) = &told.retry {
        text.push_str(&format!(" Try again at {moment}, {wait}."));
    }
    if redialling_prolongs {
        text.push_str(" Dialling before then starts the wait anew.");
    }
    text
}

fn moment(at: &ZonedDateTime) -> String {
    format!("{} on {}", clock_time(at), at.strftime("%-d %B %Y"))
}

fn wait(seconds: i64) -> String {
    let (count, unit) = rounded(seconds);
    let unit = match unit {
        Unit::Second => "second",
        Unit::Minute => "minute",
        Unit::Hour => "hour",
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("in {count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_waits_are_written_as_english_does() {
        let at: jiff::Timestamp = "2026-11-06T18:05:09Z".parse().unwrap();
        assert_eq!(
            moment(&at.in_tz("America/New_York").unwrap()),
            "13:05:09 EST on 6 November 2026"
        );
        assert_eq!(
            [1, 60, 181, 9000].map(wait),
            ["in 1 second", "in 60 seconds", "in 4 minutes", "in 3 hours"]
        );
    }

    #[test]
    fn a_block_without_an_end_says_so() {
        let told = Told {
            number: "+12065550100",
            rule: None,
            retry: None,
        };
        assert!(text(Subject::Blocked, &told).contains("has no end"));
        let until = Told {
            retry: Some((
                "18:00:00 UTC on 6 November 2026".to_owned(),
                "in 3 hours".to_owned(),
            )),
            ..told
        };
        assert_eq!(
            text(Subject::Blocked, &until),
            "The call to +12065550100 was not placed, because the number is blocked. The block ends at 18:00:00 UTC on 6 \
             November 2026, in 3 hours."
        );
    }
}
