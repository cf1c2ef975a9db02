//! Reads objects and lists member by member and notes every fault with its JSON pointer.
//!
//! A member that is null counts as absent.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::vec::IntoIter;

use super::node::Node;
use super::{Fault, code};

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn wrong_type(pointer: String, wanted: &str, found: &Node) -> Fault {
    Fault {
        pointer,
        code: code::WRONG_TYPE,
        detail: format!("must be {wanted}, not {}", found.kind()),
    }
}

/// The members of one object that have not been read yet.
pub(super) struct Fields<'f> {
    pointer: String,
    members: BTreeMap<String, Node>,
    faults: &'f mut Vec<Fault>,
}

impl<'f> Fields<'f> {
    pub(super) fn open(pointer: String, node: Node, faults: &'f mut Vec<Fault>) -> Option<Self> {
        match node {
            Node::Map(members) => Some(Self {
                pointer,
                members,
                faults,
            }),
            other => {
                faults.push(wrong_type(pointer, "an object", &other));
                None
            }
        }
    }

    /// Says of every member left over that nobody knows it.
    pub(super) fn close(self) {
        for name in self.members.keys() {
            self.faults.push(Fault {
                pointer: format!("{}/{}", self.pointer, escaped(name)),
                code: code::UNKNOWN_FIELD,
                detail: "there is no such member".to_owned(),
            });
        }
    }

    pub(super) fn faults(&mut self) -> &mut Vec<Fault> {
        self.faults
    }

    pub(super) fn pointer_to(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, escaped(name))
    }

    pub(super) fn fault(&mut self, name: &str, code: &'static str, detail: impl Into<String>) {
        let pointer = self.pointer_to(name);
        self.faults.push(Fault {
            pointer,
            code,
            detail: detail.into(),
        });
    }

    pub(super) fn node(&mut self, name: &str) -> Option<Node> {
        self.members
            .remove(name)
            .filter(|node| !matches!(node, Node::Null))
    }

    /// Notes that a member is missing, unless something was found or has its own fault.
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self, Node) -> Option<T>,
    ) -> Option<T> {
        match self.node(name) {
            Some(node) => read(self, node),
            None => {
                self.fault(name, code::MISSING, "is required");
                None
            }
        }
    }

    /// The members not read yet: for objects whose names the sender chooses.
    pub(super) fn names(&self) -> Vec<String> {
        self.members.keys().cloned().collect()
    }

    pub(super) fn text_of(&mut self, name: &str, node: Node) -> Option<String> {
        match node {
            Node::Text(text) => Some(text),
            other => {
                let fault = wrong_type(self.pointer_to(name), "a string", &other);
                self.faults.push(fault);
                None
            }
        }
    }

    pub(super) fn text(
        &mut self,
        name: &str,
        check: impl FnOnce(String) -> Result<String, String>,
    ) -> Option<String> {
        let node = self.node(name)?;
        let text = self.text_of(name, node)?;
        match check(text) {
            Ok(text) => Some(text),
            Err(detail) => {
                self.fault(name, code::INVALID, detail);
                None
            }
        }
    }

    pub(super) fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let node = self.node(name)?;
        self.choice_of(name, node, choices)
    }

    pub(super) fn required_choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        self.required(name, |fields, node| fields.choice_of(name, node, choices))
    }

    fn choice_of<T: Copy>(&mut self, name: &str, node: Node, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text_of(name, node)?;
        let chosen = choices
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, value)| *value);
        if chosen.is_none() {
            let words: Vec<String> = choices
                .iter()
                .map(|(word, _)| format!("\"{word}\""))
                .collect();
            self.fault(
                name,
                code::INVALID,
                format!("must be one of {}", words.join(", ")),
            );
        }
        chosen
    }

    pub(super) fn whole_number(&mut self, name: &str, range: RangeInclusive<u32>) -> Option<u32> {
        self.required(name, |fields, node| fields.number_of(name, &node, &range))
    }

    /// A number that may be left out; none if what is there is no good.
    pub(super) fn whole_number_or(
        &mut self,
        name: &str,
        range: RangeInclusive<u32>,
        otherwise: u32,
    ) -> Option<u32> {
        match self.node(name) {
            Some(node) => self.number_of(name, &node, &range),
            None => Some(otherwise),
        }
    }

    fn number_of(&mut self, name: &str, node: &Node, range: &RangeInclusive<u32>) -> Option<u32> {
        let Node::Integer(value) = node else {
            let fault = wrong_type(self.pointer_to(name), "a whole number", node);
            self.faults.push(fault);
            return None;
        };
        let within = u32::try_from(*value)
            .ok()
            .filter(|value| range.contains(value));
        if within.is_none() {
            let detail = format!("must be from {} to {}", range.start(), range.end());
            self.fault(name, code::OUT_OF_RANGE, detail);
        }
        within
    }

    pub(super) fn required_list(&mut self, name: &str) -> Option<Items<'_>> {
        let node = self.required(name, |_, node| Some(node))?;
        self.items_of(name, node)
    }

    pub(super) fn list(&mut self, name: &str) -> Option<Items<'_>> {
        let node = self.node(name)?;
        self.items_of(name, node)
    }

    fn items_of(&mut self, name: &str, node: Node) -> Option<Items<'_>> {
        let pointer = self.pointer_to(name);
        match node {
            Node::List(items) => Some(Items {
                pointer,
                count: items.len(),
                items: items.into_iter(),
                index: 0,
                faults: self.faults,
            }),
            other => {
                self.faults.push(wrong_type(pointer, "a list", &other));
                None
            }
        }
    }
}

/// The items of one list that have not been read yet.
pub(super) struct Items<'f> {
    pointer: String,
    count: usize,
    items: IntoIter<Node>,
    index: usize,
    faults: &'f mut Vec<Fault>,
}

impl Items<'_> {
    pub(super) fn faults(&mut self) -> &mut Vec<Fault> {
        self.faults
    }

    pub(super) fn fault(&mut self, pointer: String, code: &'static str, detail: impl Into<String>) {
        self.faults.push(Fault {
            pointer,
            code,
            detail: detail.into(),
        });
    }

    /// An empty list would ask nothing, or everything: whoever means that leaves it out.
    pub(super) fn not_empty(&mut self, detail: &str) {
        if self.count == 0 {
            self.fault(self.pointer.clone(), code::OUT_OF_RANGE, detail);
        }
    }

    pub(super) fn at_most(&mut self, most: usize) {
        if self.count > most {
            self.fault(
                self.pointer.clone(),
                code::OUT_OF_RANGE,
                format!("must have at most {most} items"),
            );
        }
    }

    pub(super) fn next(&mut self) -> Option<(String, Node)> {
        let node = self.items.next()?;
        let pointer = format!("{}/{}", self.pointer, self.index);
        self.index = self.index.saturating_add(1);
        Some((pointer, node))
    }

    pub(super) fn texts(&mut self) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        while let Some((pointer, node)) = self.next() {
            match node {
                Node::Text(text) => texts.push((pointer, text)),
                other => self.faults.push(wrong_type(pointer, "a string", &other)),
            }
        }
        texts
    }

    /// The texts that pass `check`; repetitions are faults.
    pub(super) fn distinct_texts(
        &mut self,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut kept = Vec::new();
        for (pointer, text) in self.texts() {
            match check(&text) {
                Err(detail) => self.fault(pointer, code::INVALID, detail),
                Ok(()) if !seen.insert(text.clone()) => {
                    self.fault(pointer, code::DUPLICATE, "is given twice")
                }
                Ok(()) => kept.push(text),
            }
        }
        kept
    }
}
