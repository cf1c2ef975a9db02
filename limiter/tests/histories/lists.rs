//! A tenant's lists of numbers, as the harness writes them and the checker understands them.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::rules::{Mode, Policy, customer};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    Exemption,
    Block,
}

/// What stands on a list about one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub list: List,
    pub expires_at_ms: Option<i64>,
}

/// A customer's number was put on a list, or taken off; it was not yet so before `began`, and it was so from `ended` on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub customer: u8,
    pub entry: Option<Entry>,
    pub began: u64,
    pub ended: u64,
}

/// What a list means for an attempt under a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The rules decide.
    Nothing,
    Exempt,
    Blocked,
}

impl Found {
    fn of(entry: Option<Entry>, policy: &Policy, clock_ms: i64) -> Self {
        let holds = |entry: &Entry| entry.expires_at_ms.is_none_or(|at_ms| clock_ms < at_ms);
        match (entry.filter(holds), policy.mode) {
            _ if !policy.reads_lists => Self::Nothing,
            (None, _) | (_, Mode::Off) => Self::Nothing,
            (Some(entry), mode) => match (entry.list, mode) {
                (List::Exemption, _) => Self::Exempt,
                (List::Block, Mode::Enforce) => Self::Blocked,
                // It is only told that it would have been denied.
                (List::Block, _) => Self::Nothing,
            },
        }
    }
}

/// All that a look at the customer's entry between these two events may have found.
pub fn may_find(
    changes: &[Change],
    customer: u8,
    policy: &Policy,
    between: std::ops::Range<u64>,
    clock_ms: i64,
) -> Vec<Found> {
    let own = || changes.iter().filter(|change| change.customer == customer);
    let before = own()
        .filter(|change| change.ended < between.start)
        .max_by_key(|change| change.ended);
    let meanwhile =
        own().filter(|change| change.ended >= between.start && change.began < between.end);
    let entries = meanwhile
        .map(|change| change.entry)
        .chain([before.and_then(|change| change.entry)]);
    let mut found: Vec<Found> = Vec::new();
    for entry in entries {
        let one = Found::of(entry, policy, clock_ms);
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// An entry as the control plane publishes it; one that is taken off is said to be on no list.
pub fn document(tenant_id: &str, number: u8, entry: Option<Entry>) -> Value {
    let list = match entry.map(|entry| entry.list) {
        Some(List::Exemption) => "exemption",
        Some(List::Block) => "block",
        None => "none",
    };
    let mut document = json!({
        "schema": 1, "tenant_id": tenant_id, "number": customer(number), "list": list, "entry_id": "ent_1",
    });
    if let Some(at_ms) = entry.and_then(|entry| entry.expires_at_ms) {
        let at = Timestamp::from_millisecond(at_ms).unwrap();
        document["expires_at"] = json!(at.to_string());
    }
    document
}
