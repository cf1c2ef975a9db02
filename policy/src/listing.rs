//! A number that a tenant has put on a list: exempt from every rule, or always denied.

use jiff::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// No rule denies it, and it charges no meter.
    Exemption,
    /// It is denied, whatever the rules say.
    Block,
}

/// An entry of the list, as it concerns one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    pub list: List,
    /// From then on the entry says nothing; it may stand in the store for longer.
    pub expires_at: Option<Timestamp>,
}

impl Listing {
    pub(crate) fn holds(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}
