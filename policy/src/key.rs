//! The name of a meter in the store: whose it is, what is counted, and for whom.
//!
//! Two rules share a meter exactly if they have the same scope, dimensions and filter, and either both pace or neither
//! does; how many they admit, and over what time, plays no part, so that changing a maximum keeps the live counts. Every
//! part is escaped, so that no text can stand for another key.

use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::attempt::{Attempt, Number};
use crate::dimension::Dimension;
use crate::limit::Limit;
use crate::plan::NotApplied;
use crate::rule::Scope;
use crate::when::When;

/// In bytes; half of what the store takes.
const STORED_MAX: usize = 1024;

/// What a rule's meters have in common: prepared once, when the policy is read.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Selector(String);

impl Selector {
    pub(crate) fn of(per: &BTreeSet<Dimension>, when: &When, limit: &Limit) -> Self {
        let mut text = String::new();
        for (index, dimension) in per.iter().enumerate() {
            if index > 0 {
                text.push('+');
            }
            let _ = write!(text, "{dimension}");
        }
        list(&mut text, "to", when.destination_prefixes());
        list(&mut text, "country", when.destination_countries());
        list(&mut text, "from", when.caller_id_prefixes());
        list(&mut text, "queue", when.queues());
        for (name, values) in when.attributes() {
            list(&mut text, &format!("attribute:{}", name.as_str()), values);
        }
        if limit.is_pace() {
            text.push_str(";pace");
        }
        Self(text)
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn list<'i>(text: &mut String, name: &str, items: impl ExactSizeIterator<Item = &'i str>) {
    if items.len() == 0 {
        return;
    }
    let _ = write!(text, ";{name}=");
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.push(',');
        }
        push_escaped(text, item);
    }
}

/// The characters that part a key are written as in a URL.
fn push_escaped(text: &mut String, part: &str) {
    if !part.contains(['%', '|', ',', ';']) {
        text.push_str(part);
        return;
    }
    for character in part.chars() {
        match character {
            '%' => text.push_str("%25"),
            '|' => text.push_str("%7C"),
            ',' => text.push_str("%2C"),
            ';' => text.push_str("%3B"),
            other => text.push(other),
        }
    }
}

/// Whose meters are counted: an instance, and the tenant it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'o> {
    pub instance_arn: &'o str,
    pub tenant_id: &'o str,
}

/// `Debug` shows no digit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeterKey {
    text: String,
    scope: Scope,
}

impl MeterKey {
    /// The meter that a rule with these dimensions reads for this attempt, or what the attempt lacks.
    pub(crate) fn of(
        owner: Owner<'_>,
        scope: Scope,
        selector: &Selector,
        per: &BTreeSet<Dimension>,
        attempt: &Attempt,
    ) -> Result<Self, NotApplied> {
        let owner = match scope {
            Scope::Instance => owner.instance_arn,
            Scope::Tenant => owner.tenant_id,
        };
        let mut text = String::with_capacity(
            owner
                .len()
                .saturating_add(selector.0.len())
                .saturating_add(48),
        );
        text.push_str(owner);
        text.push('|');
        text.push_str(&selector.0);
        text.push('|');
        for (index, dimension) in per.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            push_value(&mut text, dimension, attempt)?;
        }
        Ok(Self { text, scope })
    }

    /// The meter's key in the store: as it is, or by its digest where it would outgrow what a key may be; behind its owner
    /// either way.
    pub fn stored(&self) -> String {
        if self.text.len() <= STORED_MAX {
            return self.text.clone();
        }
        let (owner, _) = self.text.split_once('|').unwrap_or_default();
        let mut stored = format!("{owner}|sha256|");
        for byte in Sha256::digest(self.text.as_bytes()) {
            let _ = write!(stored, "{byte:02x}");
        }
        stored
    }

    /// Tenant-wide meters live in one region, whatever the instance's.
    pub fn scope(&self) -> Scope {
        self.scope
    }
}

impl fmt::Debug for MeterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MeterKey(…)")
    }
}

fn push_value(
    text: &mut String,
    dimension: &Dimension,
    attempt: &Attempt,
) -> Result<(), NotApplied> {
    let lacks = NotApplied::lacks(dimension);
    match dimension {
        Dimension::Customer => push_number(text, attempt.customer.as_ref().ok_or(lacks)?),
        Dimension::CallerId => push_number(text, attempt.caller_id.as_ref().ok_or(lacks)?),
        Dimension::Agent => push_escaped(text, attempt.agent.as_deref().ok_or(lacks)?),
        Dimension::Queue => push_escaped(text, attempt.queue.as_deref().ok_or(lacks)?),
        Dimension::Attribute(name) => push_escaped(text, attempt.attribute(name).ok_or(lacks)?),
    }
    Ok(())
}

fn push_number(text: &mut String, number: &Number) {
    if !number.is_valid() {
        text.push_str("raw:");
    }
    push_escaped(text, number.as_str());
}

#[cfg(test)]
mod tests;
