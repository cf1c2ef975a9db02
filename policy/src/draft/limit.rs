//! Reads the limit of one rule: its kind and the numbers that belong to it.

use super::code;
use super::notices::zone;
use super::reader::Fields;
use crate::limit::{Limit, Period};
use crate::zone::Zone;

/// A meter remembers each attempt by itself up to this many.
const ATTEMPTS_MAX: u32 = 256;
const MAX: u32 = 1_000_000;
const DAYS_MAX: u32 = 366;
const SECONDS_MAX: u32 = 31 * 24 * 60 * 60;

pub(super) fn read(rule: &mut Fields<'_>) -> Option<Limit> {
    rule.required("limit", |rule, node| {
        let pointer = rule.pointer_to("limit");
        let mut fields = Fields::open(pointer, node, rule.faults())?;
        let kind = fields.required("kind", |fields, node| fields.text_of("kind", node))?;
        match kind.as_str() {
            "until_quiet" => read_until_quiet(fields),
            "sliding" => read_sliding(fields),
            "consecutive_days" => read_consecutive_days(fields),
            "calendar" => read_calendar(fields),
            "pace" => read_pace(fields),
            _ => {
                fields.fault(
                    "kind",
                    code::INVALID,
                    "must be \"until_quiet\", \"sliding\", \"consecutive_days\", \"calendar\" or \"pace\"",
                );
                None
            }
        }
    })
}

fn read_until_quiet(mut fields: Fields<'_>) -> Option<Limit> {
    let block_at = fields.whole_number("block_at", 2..=ATTEMPTS_MAX);
    let quiet_seconds = fields.whole_number("quiet_seconds", 1..=SECONDS_MAX);
    fields.close();
    Some(Limit::UntilQuiet {
        block_at: block_at?,
        quiet_seconds: quiet_seconds?,
    })
}

fn read_sliding(mut fields: Fields<'_>) -> Option<Limit> {
    let max = fields.whole_number("max", 1..=MAX);
    let window_seconds = fields.whole_number("window_seconds", 1..=SECONDS_MAX);
    fields.close();
    Some(Limit::Sliding {
        max: max?,
        window_seconds: window_seconds?,
    })
}

fn read_consecutive_days(mut fields: Fields<'_>) -> Option<Limit> {
    let max = fields.whole_number("max", 1..=MAX);
    let days = fields.whole_number("days", 1..=DAYS_MAX);
    let time_zone = time_zone(&mut fields);
    fields.close();
    Some(Limit::ConsecutiveDays {
        max: max?,
        days: days?,
        time_zone: time_zone?,
    })
}

fn read_calendar(mut fields: Fields<'_>) -> Option<Limit> {
    let max = fields.whole_number("max", 1..=MAX);
    let periods = [
        ("day", Period::Day),
        ("week", Period::Week),
        ("month", Period::Month),
    ];
    let period = fields.choice("period", &periods);
    let time_zone = time_zone(&mut fields);
    fields.close();
    Some(Limit::Calendar {
        max: max?,
        period: period?,
        time_zone: time_zone?,
    })
}

fn read_pace(mut fields: Fields<'_>) -> Option<Limit> {
    let max = fields.whole_number("max", 1..=MAX);
    let per_seconds = fields.whole_number("per_seconds", 1..=SECONDS_MAX);
    let burst = if fields.names().iter().any(|name| name == "burst") {
        fields.whole_number("burst", 1..=MAX)
    } else {
        Some(1)
    };
    fields.close();
    Some(Limit::Pace {
        max: max?,
        per_seconds: per_seconds?,
        burst: burst?,
    })
}

fn time_zone(fields: &mut Fields<'_>) -> Option<Zone> {
    fields.required("time_zone", |fields, node| {
        let name = fields.text_of("time_zone", node)?;
        zone(fields, "time_zone", &name)
    })
}
