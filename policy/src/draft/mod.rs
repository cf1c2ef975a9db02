//! What a tenant sends, read leniently so that all of its faults are told together.
//!
//! [`PolicyDraft`] takes any document; [`PolicyDraft::check`] makes a valid [`Policy`] of it or names every fault by JSON
//! pointer. Nothing is passed over silently.

mod country;
mod limit;
mod node;
mod notices;
mod reader;
mod rule;
mod when;

use std::fmt;

use serde::Deserialize;

use crate::policy::{Mode, OnUnavailable, Policy};
use node::Node;
use reader::{Fields, Items};

const RULES_MAX: usize = 50;
const EMERGENCY_MAX: usize = 50;
const DEFAULT_COUNTRY: &str = "default_country";

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// RFC 6901, such as `/rules/0/limit/block_at`.
    pub pointer: String,
    pub code: &'static str,
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.pointer, self.code, self.detail)
    }
}

/// All faults of what was stored, which is not expected to have any.
pub(crate) fn told<E: serde::de::Error>(faults: &[Fault]) -> E {
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    E::custom(told.join("; "))
}

pub mod code {
    //! The closed list of fault codes.
    pub const MISSING: &str = "missing";
    pub const UNKNOWN_FIELD: &str = "unknown_field";
    pub const WRONG_TYPE: &str = "wrong_type";
    pub const OUT_OF_RANGE: &str = "out_of_range";
    pub const INVALID: &str = "invalid";
    pub const DUPLICATE: &str = "duplicate";
}

/// A policy document as it came, not yet checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct PolicyDraft(Node);

impl PolicyDraft {
    /// The valid policy, or every fault of the document.
    pub fn check(self) -> Result<Policy, Vec<Fault>> {
        self.read(|_| true)
    }

    /// Like [`PolicyDraft::check`] for a policy that a newer version may have written: unknown members of the policy and
    /// of a rule are passed over. Those of a filter or a limit are not: without them a rule would mean something else.
    /// Nor is a country that nobody knows a fault here: an older version took it.
    pub(crate) fn read_back(self) -> Result<Policy, Vec<Fault>> {
        self.read(|fault| match fault.code {
            code::UNKNOWN_FIELD => below_a_rule(&fault.pointer),
            code::INVALID => fault.pointer.strip_prefix('/') != Some(DEFAULT_COUNTRY),
            _ => true,
        })
    }

    fn read(self, matters: impl Fn(&Fault) -> bool) -> Result<Policy, Vec<Fault>> {
        let mut faults = Vec::new();
        let policy = read_policy(self.0, &mut faults);
        faults.retain(matters);
        match policy {
            Some(policy) if faults.is_empty() => Ok(policy),
            _ => Err(faults),
        }
    }
}

/// Whether a pointer leads into a member of a rule: deeper than `/rules/0/name`.
fn below_a_rule(pointer: &str) -> bool {
    pointer.matches('/').count() > 3
}

fn read_policy(document: Node, faults: &mut Vec<Fault>) -> Option<Policy> {
    let defaults = Policy::default();
    let mut fields = Fields::open(String::new(), document, faults)?;
    let mode = fields.choice(
        "mode",
        &[
            ("enforce", Mode::Enforce),
            ("shadow", Mode::Shadow),
            ("off", Mode::Off),
        ],
    );
    let on_unavailable = fields.choice(
        "on_unavailable",
        &[
            ("allow", OnUnavailable::Allow),
            ("deny", OnUnavailable::Deny),
        ],
    );
    let default_country = read_default_country(&mut fields);
    let emergency = fields.list("emergency").map(read_emergency);
    let notices = notices::read(&mut fields);
    let rules = fields.list("rules").map(read_rules).unwrap_or_default();
    fields.close();
    Some(Policy {
        mode: mode.unwrap_or(defaults.mode),
        on_unavailable: on_unavailable.unwrap_or(defaults.on_unavailable),
        default_country: default_country.unwrap_or(defaults.default_country),
        emergency: emergency.unwrap_or(defaults.emergency),
        notices,
        rules,
    })
}

fn read_default_country(fields: &mut Fields<'_>) -> Option<String> {
    let node = fields.node(DEFAULT_COUNTRY)?;
    let country = fields.text_of(DEFAULT_COUNTRY, node)?;
    if let Err(detail) = country::check(&country) {
        fields.fault(DEFAULT_COUNTRY, code::INVALID, detail);
    }
    Some(country)
}

fn read_emergency(mut items: Items<'_>) -> Vec<String> {
    items.at_most(EMERGENCY_MAX);
    items.distinct_texts(|text| {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if (1..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit()) {
            Ok(())
        } else {
            Err("must be 1 to 15 digits, with or without a leading plus sign".to_owned())
        }
    })
}

fn read_rules(mut items: Items<'_>) -> Vec<crate::rule::Rule> {
    items.at_most(RULES_MAX);
    let mut rules: Vec<crate::rule::Rule> = Vec::new();
    while let Some((pointer, item)) = items.next() {
        let Some(rule) = rule::read(pointer.clone(), item, items.faults()) else {
            continue;
        };
        if rules.iter().any(|earlier| earlier.id == rule.id) {
            items.fault(
                format!("{pointer}/id"),
                code::DUPLICATE,
                format!("another rule is called \"{}\" already", rule.id),
            );
        }
        rules.push(rule);
    }
    rules
}
