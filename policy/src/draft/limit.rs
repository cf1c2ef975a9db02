//! Reads the limit of one rule: its kind and the numbers that belong to it.

use serde::{Deserialize, Deserializer};

use super::node::Node;
use super::reader::Fields;
use super::{Fault, code, notices, told};
use crate::limit::{Limit, Period};
use crate::zone::Zone;

/// The attempts of a series are told one by one, up to this many.
const SERIES_MAX: u32 = 256;
const ADMITTED_MAX: u32 = 1_000_000;
const SECONDS_MAX: u32 = 31 * 24 * 60 * 60;
const DAYS_MAX: u32 = 366;

pub(super) fn read(rule: &mut Fields<'_>) -> Option<Limit> {
    rule.required("limit", |rule, node| {
        let pointer = rule.pointer_to("limit");
        read_node(pointer, node, rule.faults())
    })
}

fn read_node(pointer: String, node: Node, faults: &mut Vec<Fault>) -> Option<Limit> {
    let mut fields = Fields::open(pointer, node, faults)?;
    let kind = fields.required("kind", |fields, node| fields.text_of("kind", node))?;
    let limit = match kind.as_str() {
        "until_quiet" => until_quiet(&mut fields),
        "sliding" => sliding(&mut fields),
        "consecutive_days" => consecutive_days(&mut fields),
        "calendar" => calendar(&mut fields),
        "pace" => pace(&mut fields),
        _ => {
            fields.fault(
                "kind",
                code::INVALID,
                "must be \"until_quiet\", \"sliding\", \"consecutive_days\", \"calendar\" or \"pace\"",
            );
            // Which other members belong to it, nobody knows.
            return None;
        }
    };
    fields.close();
    limit
}

impl<'de> Deserialize<'de> for Limit {
    /// As it is in a policy that was stored.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut faults = Vec::new();
        let node = Node::deserialize(deserializer)?;
        match read_node(String::new(), node, &mut faults) {
            Some(limit) if faults.is_empty() => Ok(limit),
            _ => Err(told(&faults)),
        }
    }
}

fn until_quiet(fields: &mut Fields<'_>) -> Option<Limit> {
    let block_at = fields.whole_number("block_at", 2..=SERIES_MAX);
    let quiet_seconds = fields.whole_number("quiet_seconds", 1..=SECONDS_MAX);
    Some(Limit::UntilQuiet {
        block_at: block_at?,
        quiet_seconds: quiet_seconds?,
    })
}

fn sliding(fields: &mut Fields<'_>) -> Option<Limit> {
    let max = fields.whole_number("max", 1..=ADMITTED_MAX);
    let window_seconds = fields.whole_number("window_seconds", 1..=SECONDS_MAX);
    Some(Limit::Sliding {
        max: max?,
        window_seconds: window_seconds?,
    })
}

fn consecutive_days(fields: &mut Fields<'_>) -> Option<Limit> {
    let max = fields.whole_number("max", 1..=ADMITTED_MAX);
    let days = fields.whole_number("days", 1..=DAYS_MAX);
    let time_zone = time_zone(fields);
    Some(Limit::ConsecutiveDays {
        max: max?,
        days: days?,
        time_zone: time_zone?,
    })
}

fn calendar(fields: &mut Fields<'_>) -> Option<Limit> {
    let max = fields.whole_number("max", 1..=ADMITTED_MAX);
    let period = fields.required_choice(
        "period",
        &[
            ("day", Period::Day),
            ("week", Period::Week),
            ("month", Period::Month),
        ],
    );
    let time_zone = time_zone(fields);
    Some(Limit::Calendar {
        max: max?,
        period: period?,
        time_zone: time_zone?,
    })
}

/// Days are somebody's days: there is no zone that would do for all.
fn time_zone(fields: &mut Fields<'_>) -> Option<Zone> {
    fields.required("time_zone", |fields, node| {
        notices::zone(fields, "time_zone", node)
    })
}

fn pace(fields: &mut Fields<'_>) -> Option<Limit> {
    let max = fields.whole_number("max", 1..=ADMITTED_MAX);
    let per_seconds = fields.whole_number("per_seconds", 1..=SECONDS_MAX);
    let burst = fields.whole_number_or("burst", 1..=ADMITTED_MAX, 1);
    let limit = Limit::Pace {
        max: max?,
        per_seconds: per_seconds?,
        burst: burst?,
    };
    if limit.memory_seconds() > SECONDS_MAX {
        fields.fault(
            "burst",
            code::OUT_OF_RANGE,
            "at this rate, so many would take more than 31 days",
        );
        return None;
    }
    Some(limit)
}
