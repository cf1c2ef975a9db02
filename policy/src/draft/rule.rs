//! Reads one rule of a draft.

use std::collections::BTreeSet;

use super::node::Node;
use super::reader::Fields;
use super::{Fault, code, limit, notices, when};
use crate::dimension::Dimension;
use crate::key::Selector;
use crate::rule::{Rule, RuleId, RuleMode, Scope};

const NAME_MAX: usize = 100;
const CITATION_MAX: usize = 500;
/// The four that are built in, and as many attributes as a filter may name.
const DIMENSIONS_MAX: usize = 14;
const DIMENSIONS: &str = "\"customer\", \"caller_id\", \"agent\", \"queue\", \"attribute:<name>\"";

pub(super) fn read(pointer: String, node: Node, faults: &mut Vec<Fault>) -> Option<Rule> {
    let mut fields = Fields::open(pointer, node, faults)?;
    let id = read_id(&mut fields);
    let name = fields.text("name", |text| at_most(text, NAME_MAX));
    let per = read_per(&mut fields);
    let scope = fields.choice(
        "scope",
        &[("instance", Scope::Instance), ("tenant", Scope::Tenant)],
    );
    let when = when::read(&mut fields);
    let limit = limit::read(&mut fields);
    let mode = fields.choice(
        "mode",
        &[("enforce", RuleMode::Enforce), ("shadow", RuleMode::Shadow)],
    );
    let notice = notices::template(&mut fields);
    let citation = fields.text("citation", |text| at_most(text, CITATION_MAX));
    fields.close();
    let (id, per, limit) = (id?, per?, limit?);
    Some(Rule {
        selector: Selector::of(&per, &when, &limit),
        id,
        name,
        per,
        scope: scope.unwrap_or_default(),
        when,
        limit,
        mode: mode.unwrap_or_default(),
        notice,
        citation,
    })
}

pub(super) fn at_most(text: String, most: usize) -> Result<String, String> {
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
    items.at_most(DIMENSIONS_MAX);
    items.not_empty("must name at least one dimension");
    for (pointer, text) in items.texts() {
        match Dimension::parse(&text) {
            Some(dimension) => {
                if !per.insert(dimension) {
                    items.fault(pointer, code::DUPLICATE, "is given twice");
                }
            }
            None if text.starts_with("attribute:") => {
                items.fault(pointer, code::INVALID, when::ATTRIBUTE_NAME);
            }
            None => items.fault(
                pointer,
                code::INVALID,
                format!("must be one of {DIMENSIONS}"),
            ),
        }
    }
    (!per.is_empty()).then_some(per)
}
