//! Reads the filter of one rule.

use std::collections::{BTreeMap, BTreeSet};

use super::code;
use super::country;
use super::reader::{Fields, Items};
use crate::dimension::AttributeName;
use crate::when::{When, is_number_prefix};

const ITEMS_MAX: usize = 50;
const ATTRIBUTES_MAX: usize = 10;
const VALUE_MAX: usize = 200;
const QUEUE_MAX: usize = 250;

pub(super) fn read(rule: &mut Fields<'_>) -> When {
    let pointer = rule.pointer_to("when");
    let Some(node) = rule.node("when") else {
        return When::default();
    };
    let Some(mut when) = Fields::open(pointer, node, rule.faults()) else {
        return When::default();
    };
    let read = When {
        destination_prefixes: list(&mut when, "destination_prefixes", prefix),
        destination_countries: list(&mut when, "destination_countries", country::check),
        caller_id_prefixes: list(&mut when, "caller_id_prefixes", prefix),
        queues: list(&mut when, "queues", queue),
        attributes: attributes(&mut when),
    };
    when.close();
    read
}

fn list(
    when: &mut Fields<'_>,
    name: &str,
    check: impl Fn(&str) -> Result<(), String>,
) -> BTreeSet<String> {
    when.list(name)
        .map(|items| texts(items, check))
        .unwrap_or_default()
}

fn texts(mut items: Items<'_>, check: impl Fn(&str) -> Result<(), String>) -> BTreeSet<String> {
    items.at_most(ITEMS_MAX);
    items.not_empty("must have at least one item; leave it out to ask nothing");
    items.distinct_texts(check).into_iter().collect()
}

fn prefix(text: &str) -> Result<(), String> {
    if is_number_prefix(text) {
        Ok(())
    } else {
        Err("must be a plus sign and 1 to 15 digits, such as \"+1\"".to_owned())
    }
}

/// An ARN, or what stands behind `/queue/` in one.
fn queue(text: &str) -> Result<(), String> {
    let is_id = |id: &str| {
        !id.is_empty()
            && id
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '/'))
    };
    let fits = text.len() <= QUEUE_MAX
        && match text.strip_prefix("arn:") {
            Some(rest) => {
                let parts = rest.split_once(":connect:");
                let behind = parts.and_then(|(_, resource)| resource.rsplit_once("/queue/"));
                behind.is_some_and(|(instance, id)| instance.contains(":instance/") && is_id(id))
            }
            None => is_id(text),
        };
    fits.then_some(())
        .ok_or_else(|| "must be a queue's ARN or id".to_owned())
}

fn attributes(when: &mut Fields<'_>) -> BTreeMap<AttributeName, BTreeSet<String>> {
    let mut read = BTreeMap::new();
    let pointer = when.pointer_to("attributes");
    let Some(node) = when.node("attributes") else {
        return read;
    };
    let Some(mut fields) = Fields::open(pointer, node, when.faults()) else {
        return read;
    };
    let names = fields.names();
    let count = names.len();
    for name in names {
        let Some(items) = fields.required_list(&name) else {
            continue;
        };
        let values = texts(items, value);
        match AttributeName::parse(&name) {
            Some(name) => {
                read.insert(name, values);
            }
            None => fields.fault(&name, code::INVALID, ATTRIBUTE_NAME),
        }
    }
    fields.close();
    if count == 0 || count > ATTRIBUTES_MAX {
        let detail =
            format!("must have 1 to {ATTRIBUTES_MAX} attributes; leave it out to ask nothing");
        when.fault("attributes", code::OUT_OF_RANGE, detail);
    }
    read
}

pub(super) const ATTRIBUTE_NAME: &str =
    "an attribute's name has 1 to 100 letters, digits, spaces, dashes and underscores";

fn value(text: &str) -> Result<(), String> {
    if (1..=VALUE_MAX).contains(&text.chars().count()) {
        Ok(())
    } else {
        Err(format!("must have 1 to {VALUE_MAX} characters"))
    }
}
