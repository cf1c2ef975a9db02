//! Reads one rule of a draft.

use std::collections::BTreeSet;

use super::limit;
use super::node::Node;
use super::reader::Fields;
use super::{Fault, code};
use crate::rule::{Dimension, Rule, RuleId, RuleMode, Scope, When};

const NAME_MAX: usize = 100;
const CITATION_MAX: usize = 500;
const PREFIXES_MAX: usize = 50;
const DIMENSIONS: &str = "\"customer\", \"caller_id\"";

pub(super) fn read(pointer: String, node: Node, faults: &mut Vec<Fault>) -> Option<Rule> {
    let mut fields = Fields::open(pointer, node, faults)?;
    let id = read_id(&mut fields);
    let name = fields.text("name", |text| at_most(text, NAME_MAX));
    let per = read_per(&mut fields);
    read_scope(&mut fields);
    let when = read_when(&mut fields);
    let limit = limit::read(&mut fields);
    let mode = fields.choice(
        "mode",
        &[("enforce", RuleMode::Enforce), ("shadow", RuleMode::Shadow)],
    );
    fields.unsupported("notice", "the built-in notice text");
    let citation = fields.text("citation", |text| at_most(text, CITATION_MAX));
    fields.close();
    Some(Rule {
        id: id?,
        name,
        per: per?,
        scope: Scope::Instance,
        when,
        limit: limit?,
        mode: mode.unwrap_or_default(),
        citation,
    })
}

fn at_most(text: String, most: usize) -> Result<String, String> {
    let length = text.chars().count();
    if text.trim().is_empty() || length > most {
        Err(format!("must have 1 to {most} characters"))
    } else {
        Ok(text)
    }
}

fn read_id(fields: &mut Fields<'_>) -> Option<RuleId> {
    fields.required("id", |fields, node| {
        let text = fields.text_of("id", node)?;
        let id = RuleId::parse(&text);
        if id.is_none() {
            fields.fault(
                "id",
                code::INVALID,
                "must have 1 to 63 of a-z, 0-9, dash and underscore, and start with a letter or digit",
            );
        }
        id
    })
}

fn read_per(fields: &mut Fields<'_>) -> Option<BTreeSet<Dimension>> {
    let mut per = BTreeSet::new();
    let mut items = fields.required_list("per")?;
    let count = items.len();
    for (pointer, text) in items.texts() {
        let dimension = match text.as_str() {
            "customer" => Dimension::Customer,
            "caller_id" => Dimension::CallerId,
            "agent" | "queue" => {
                items.fault(pointer, code::NOT_SUPPORTED, unsupported_dimension());
                continue;
            }
            other if other.starts_with("attribute:") => {
                items.fault(pointer, code::NOT_SUPPORTED, unsupported_dimension());
                continue;
            }
            _ => {
                items.fault(
                    pointer,
                    code::INVALID,
                    format!("must be one of {DIMENSIONS}"),
                );
                continue;
            }
        };
        if !per.insert(dimension) {
            items.fault(pointer, code::DUPLICATE, "is given twice");
        }
    }
    if count == 0 {
        let pointer = items.pointer().to_owned();
        items.fault(
            pointer,
            code::OUT_OF_RANGE,
            "must name at least one dimension",
        );
    }
    (!per.is_empty()).then_some(per)
}

fn unsupported_dimension() -> String {
    format!("is not supported yet; supported: {DIMENSIONS}")
}

fn read_scope(fields: &mut Fields<'_>) {
    let Some(text) = fields.text("scope", Ok) else {
        return;
    };
    match text.as_str() {
        "instance" => {}
        "tenant" => fields.fault(
            "scope",
            code::NOT_SUPPORTED,
            "is not supported yet; supported: \"instance\"",
        ),
        _ => fields.fault("scope", code::INVALID, "must be \"instance\""),
    }
}

fn read_when(fields: &mut Fields<'_>) -> When {
    let pointer = fields.pointer_to("when");
    let Some(node) = fields.node("when") else {
        return When::default();
    };
    let Some(mut when) = Fields::open(pointer, node, fields.faults()) else {
        return When::default();
    };
    let destination_prefixes = read_prefixes(&mut when);
    for name in [
        "destination_countries",
        "caller_id_prefixes",
        "queues",
        "attributes",
    ] {
        when.unsupported(name, "destination_prefixes");
    }
    when.close();
    When {
        destination_prefixes,
    }
}

fn read_prefixes(when: &mut Fields<'_>) -> BTreeSet<String> {
    let Some(mut items) = when.list("destination_prefixes") else {
        return BTreeSet::new();
    };
    items.at_most(PREFIXES_MAX);
    if items.len() == 0 {
        let pointer = items.pointer().to_owned();
        items.fault(
            pointer,
            code::OUT_OF_RANGE,
            "must have at least one prefix; leave it out to match every number",
        );
    }
    let prefixes = items.distinct_texts(|text| {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let starts_well = digits.starts_with(|c: char| ('1'..='9').contains(&c));
        if starts_well && digits.len() <= 15 && digits.chars().all(|c| c.is_ascii_digit()) {
            Ok(())
        } else {
            Err("must be a plus sign and 1 to 15 digits, such as \"+1\"".to_owned())
        }
    });
    prefixes.into_iter().collect()
}
