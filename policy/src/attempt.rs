//! One dial by an agent, as far as rules look at it.

use std::collections::BTreeMap;
use std::fmt;

use crate::dimension::AttributeName;

/// Who a contact is in a meter's log: the bytes of its UUID, or 16 bytes of a digest where the id is no UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContactKey(pub [u8; 16]);

/// A number as it is counted. `Debug` shows no digit.
#[derive(Clone, PartialEq, Eq)]
pub enum Number {
    /// In E.164, such as `+12065550100`.
    E164(String),
    /// What could not be read as a number, as it was typed; counted apart from every E.164 number.
    Raw(String),
}

impl Number {
    pub fn as_str(&self) -> &str {
        match self {
            Self::E164(text) | Self::Raw(text) => text,
        }
    }

    pub fn is_valid(&self) -> bool {
        matches!(self, Self::E164(_))
    }

    pub(crate) fn starts_with(&self, prefix: &str) -> bool {
        match self {
            Self::E164(text) => text.starts_with(prefix),
            Self::Raw(_) => false,
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::E164(_) => "E164(…)",
            Self::Raw(_) => "Raw(…)",
        })
    }
}

/// What is known of a dial before it is decided.
#[derive(Clone)]
pub struct Attempt {
    pub contact: ContactKey,
    pub customer: Option<Number>,
    /// Where the customer's number belongs: ISO 3166 alpha-2.
    pub customer_country: Option<String>,
    pub caller_id: Option<Number>,
    /// The agent's ARN.
    pub agent: Option<String>,
    /// The queue's ARN.
    pub queue: Option<String>,
    /// The contact's attributes.
    pub attributes: BTreeMap<String, String>,
    /// The digits the agent may have meant, with and without a country code: what emergency numbers are compared with.
    pub dialled: Vec<String>,
}

impl Attempt {
    /// A contact attribute. Connect does not tell an empty one from one that was never set, so neither do rules.
    pub(crate) fn attribute(&self, name: &AttributeName) -> Option<&str> {
        self.attributes
            .get(name.as_str())
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("contact", &self.contact)
            .field("customer", &self.customer)
            .field("caller_id", &self.caller_id)
            .finish_non_exhaustive()
    }
}
