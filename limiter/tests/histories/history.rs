//! What happened: every delivery of every contact with its answer, in an order that nobody in the tested system knows.
//!
//! `began` and `ended` are taken from one counter by the harness, before a delivery is handed over and after its answer
//! is there. So one that ended before another began was over in every sense.

use std::collections::{BTreeMap, BTreeSet};

use crate::lists::Change;
use crate::rules::{Dialled, Policy};

pub type Contact = u64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// Counted and let go, be it that a shadow rule would have denied it.
    Allowed,
    /// Let go uncounted, because the number is exempt.
    Exempt,
    Denied {
        by: Cause,
        stopped: bool,
    },
    /// Not counted in time, and answered as the policy says.
    Uncounted {
        allowed: bool,
    },
    /// Nobody answered: the process was killed.
    Nothing,
    Odd(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    Rule(String),
    /// The number is on the block list.
    Block,
    /// An earlier delivery was denied, and nothing but that is known: its record is lost.
    Unknown,
}

#[derive(Clone, Debug)]
pub struct Delivery {
    pub contact: Contact,
    pub process: usize,
    pub dialled: Dialled,
    /// What the process's clock showed.
    pub clock_ms: i64,
    pub began: u64,
    /// For a delivery without an answer: when nothing of it was under way any more.
    pub ended: u64,
    pub answered: Answered,
    /// The policy that the answer names.
    pub version: Option<u64>,
    /// The process said in its log that it could not write something for this contact.
    pub admits_failure: bool,
}

impl Delivery {
    pub fn goes(&self) -> bool {
        matches!(self.answered, Answered::Allowed | Answered::Exempt)
    }

    pub fn is_denied(&self) -> bool {
        matches!(
            self.answered,
            Answered::Denied { .. } | Answered::Uncounted { allowed: false }
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Admitted,
    Void,
    Denied,
}

/// A meter as it stood at the end.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    pub key: String,
    pub entries: Vec<(Standing, i64, Contact)>,
    /// Older entries may be in a summary that the checker does not read.
    pub summarised: bool,
    pub unreadable: usize,
}

#[derive(Clone, Debug, Default)]
pub struct History {
    pub policies: Vec<Policy>,
    /// In their order.
    pub listed: Vec<Change>,
    pub deliveries: Vec<Delivery>,
    pub meters: Vec<Meter>,
    /// Contacts that somebody asked Connect to stop.
    pub stopped: BTreeSet<Contact>,
    /// What the record of each contact says came of it.
    pub records: BTreeMap<Contact, String>,
}

impl History {
    pub fn policy(&self, version: u64) -> Option<&Policy> {
        self.policies
            .iter()
            .find(|policy| policy.version == version)
    }

    /// Whether a contact may be judged otherwise when it is delivered again.
    pub fn changes(&self) -> bool {
        self.policies.len() > 1 || !self.listed.is_empty()
    }
}
