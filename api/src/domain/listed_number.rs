//! Numbers that a tenant put on one of its two lists, and what a change of the lists comes to. Pure.
//!
//! Invariant: a number stands in one list only, once. An entry that has expired counts as gone: whoever lists its number
//! anew takes its place.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::ids::EntryId;
use super::phone::PhoneNumber;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Rules skip the number.
    Exemption,
    /// The number is always denied.
    Block,
}

impl List {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exemption => "exemption",
            Self::Block => "block",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Exemption, Self::Block]
            .into_iter()
            .find(|list| list.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedNumber {
    pub id: EntryId,
    pub list: List,
    pub number: PhoneNumber,
    pub reason: String,
    /// From then on as if it were not there; none: until it is removed.
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub created_by: String,
}

impl ListedNumber {
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }
}

/// What is to be on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedNumber {
    pub number: PhoneNumber,
    pub reason: String,
    pub expires_at: Option<Timestamp>,
}

/// What has to be done so that everything wanted is on the list. Positions are those of what was wanted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ListChange {
    pub add: Vec<usize>,
    /// Entries as they are, that get another reason or expiry.
    pub change: Vec<(ListedNumber, usize)>,
    /// Expired entries that make way for what is added.
    pub remove: Vec<EntryId>,
    pub unchanged: usize,
    /// These cannot be: their numbers are in the other list.
    pub in_other_list: Vec<usize>,
}

/// `standing`: the entries that these numbers have now. Each number is wanted once.
#[must_use]
pub fn change(
    list: List,
    wanted: &[WantedNumber],
    standing: &[ListedNumber],
    now: Timestamp,
) -> ListChange {
    let standing: BTreeMap<&PhoneNumber, &ListedNumber> = standing
        .iter()
        .map(|entry| (&entry.number, entry))
        .collect();
    let mut change = ListChange::default();
    for (position, row) in wanted.iter().enumerate() {
        match standing.get(&row.number) {
            None => change.add.push(position),
            Some(entry) if !entry.is_in_force(now) => {
                change.remove.push(entry.id);
                change.add.push(position);
            }
            Some(entry) if entry.list != list => change.in_other_list.push(position),
            Some(entry) if entry.reason == row.reason && entry.expires_at == row.expires_at => {
                change.unchanged += 1;
            }
            Some(entry) => change.change.push((ListedNumber::clone(entry), position)),
        }
    }
    change
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn wanted(last: &str, reason: &str) -> WantedNumber {
        WantedNumber {
            number: PhoneNumber::stored(format!("+1206555010{last}")),
            reason: reason.to_owned(),
            expires_at: None,
        }
    }

    fn standing(id: u128, list: List, last: &str, expires_at: Option<Timestamp>) -> ListedNumber {
        ListedNumber {
            id: EntryId(Uuid::from_u128(id)),
            list,
            number: PhoneNumber::stored(format!("+1206555010{last}")),
            reason: "asked".to_owned(),
            expires_at,
            created_at: at(0),
            created_by: "somebody".to_owned(),
        }
    }

    #[test]
    fn each_number_meets_what_stands_there() {
        let there = [
            standing(1, List::Block, "1", None),
            standing(2, List::Block, "2", None),
            standing(3, List::Exemption, "3", None),
            standing(4, List::Exemption, "4", Some(at(100))),
            standing(5, List::Block, "5", Some(at(101))),
        ];
        let rows = [
            wanted("0", "asked"),
            wanted("1", "asked"),
            wanted("2", "asked again"),
            wanted("3", "asked"),
            wanted("4", "asked"),
            wanted("5", "asked"),
        ];
        assert_eq!(
            change(List::Block, &rows, &there, at(100)),
            ListChange {
                add: vec![0, 4],
                change: vec![(there[1].clone(), 2), (there[4].clone(), 5)],
                remove: vec![there[3].id],
                unchanged: 1,
                in_other_list: vec![3],
            }
        );
    }
}
