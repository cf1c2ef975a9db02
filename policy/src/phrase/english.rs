//! The sentence in English.

use super::{Unit, as_it_is, in_units, named, queue_id, quoted};
use crate::dimension::Dimension;
use crate::limit::{Limit, Period};
use crate::rule::{Rule, Scope};

pub(super) fn sentence(rule: &Rule) -> String {
    let most = match rule.limit() {
        Limit::Pace { max, .. } => *max,
        other => other.admits(),
    };
    let calls = if most == 1 { "call" } else { "calls" };
    let conditions = conditions(rule);
    let between = if conditions.is_empty() {
        String::new()
    } else {
        format!(", {},", conditions.join(", "))
    };
    format!(
        "At most {most} {calls} {}{between} {}",
        whose(rule),
        time(rule.limit())
    )
}

fn whose(rule: &Rule) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut attributes: Vec<String> = Vec::new();
    for dimension in rule.per() {
        let a = |first: &str| {
            if words.is_empty() {
                first.to_owned()
            } else {
                "the same".to_owned()
            }
        };
        let word = match dimension {
            Dimension::Customer => format!("to {} customer", a("a")),
            Dimension::CallerId => format!("from {} caller ID", a("a")),
            Dimension::Agent => format!("by {} agent", a("an")),
            Dimension::Queue => format!("through {} queue", a("a")),
            Dimension::Attribute(name) => {
                attributes.push(quoted(name.as_str()));
                continue;
            }
        };
        words.push(word);
    }
    match attributes.as_slice() {
        [] => {}
        [one] => words.push(format!("with the same attribute {one}")),
        several => words.push(format!(
            "with the same attributes {}",
            several.join(" and ")
        )),
    }
    words.join(" ")
}

fn conditions(rule: &Rule) -> Vec<String> {
    let when = rule.when();
    let mut conditions = Vec::new();
    if rule.scope() == Scope::Tenant {
        conditions.push("over all instances together".to_owned());
    }
    if let Some(prefixes) = either(when.destination_prefixes(), as_it_is) {
        conditions.push(format!("for numbers starting with {prefixes}"));
    }
    if let Some(countries) = either(when.destination_countries(), as_it_is) {
        conditions.push(format!("for numbers of {countries}"));
    }
    if let Some(prefixes) = either(when.caller_id_prefixes(), as_it_is) {
        conditions.push(format!("with caller IDs starting with {prefixes}"));
    }
    let several = if when.queues().len() > 1 { "s" } else { "" };
    if let Some(queues) = either(when.queues(), queue_id) {
        conditions.push(format!("through queue{several} {queues}"));
    }
    let attributes: Vec<String> = when
        .attributes()
        .filter_map(|(name, values)| {
            Some(format!(
                "\"{}\" is {}",
                name.as_str(),
                either(values, quoted)?
            ))
        })
        .collect();
    if !attributes.is_empty() {
        conditions.push(format!("where {}", attributes.join(" and ")));
    }
    conditions
}

fn either<'i>(
    items: impl Iterator<Item = &'i str>,
    show: impl Fn(&str) -> String,
) -> Option<String> {
    let (mut items, more) = named(items, show);
    if more > 0 {
        items.push(format!("{more} others"));
    }
    let last = items.pop()?;
    if items.is_empty() {
        Some(last)
    } else {
        Some(format!("{} or {last}", items.join(", ")))
    }
}

fn time(limit: &Limit) -> String {
    match limit {
        Limit::Sliding { window_seconds, .. } => format!("in any {}", duration(*window_seconds)),
        Limit::UntilQuiet { quiet_seconds, .. } => format!(
            "until there has been no attempt for {}",
            duration(*quiet_seconds)
        ),
        Limit::ConsecutiveDays {
            days, time_zone, ..
        } => {
            let days = match days {
                1 => "day".to_owned(),
                several => format!("{several} consecutive days"),
            };
            format!("on any {days} ({})", time_zone.name())
        }
        Limit::Calendar {
            period, time_zone, ..
        } => {
            let period = match period {
                Period::Day => "calendar day",
                Period::Week => "week from Monday to Sunday",
                Period::Month => "calendar month",
            };
            format!("in each {period} ({})", time_zone.name())
        }
        Limit::Pace {
            max,
            per_seconds,
            burst,
        } => pace(*max, *per_seconds, *burst),
    }
}

fn pace(max: u32, per_seconds: u32, burst: u32) -> String {
    let every = match in_units(per_seconds) {
        (1, unit) => unit_name(unit).to_owned(),
        _ => duration(per_seconds),
    };
    let spaced = if max > 1 { ", evenly spaced" } else { "" };
    let at_once = if burst > 1 {
        format!(", with up to {burst} at once")
    } else {
        String::new()
    };
    format!("every {every}{spaced}{at_once}")
}

fn duration(seconds: u32) -> String {
    let (count, unit) = in_units(seconds);
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {}{plural}", unit_name(unit))
}

fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Day => "day",
        Unit::Hour => "hour",
        Unit::Minute => "minute",
        Unit::Second => "second",
    }
}
