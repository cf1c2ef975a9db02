//! Which attempts a rule looks at: everything given must hold, of each list one item.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::attempt::{Attempt, Number};
use crate::dimension::AttributeName;
use crate::plan::NotApplied;

/// An empty list asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct When {
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) destination_prefixes: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) destination_countries: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) caller_id_prefixes: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) queues: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "by_name")]
    pub(crate) attributes: BTreeMap<AttributeName, BTreeSet<String>>,
}

fn by_name<S: serde::Serializer>(
    attributes: &BTreeMap<AttributeName, BTreeSet<String>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(
        attributes
            .iter()
            .map(|(name, values)| (name.as_str(), values)),
    )
}

impl When {
    /// E.164 prefixes such as `+1`.
    pub fn destination_prefixes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.destination_prefixes.iter().map(String::as_str)
    }

    /// ISO 3166 alpha-2.
    pub fn destination_countries(&self) -> impl ExactSizeIterator<Item = &str> {
        self.destination_countries.iter().map(String::as_str)
    }

    pub fn caller_id_prefixes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.caller_id_prefixes.iter().map(String::as_str)
    }

    /// ARNs or ids.
    pub fn queues(&self) -> impl ExactSizeIterator<Item = &str> {
        self.queues.iter().map(String::as_str)
    }

    pub fn attributes(
        &self,
    ) -> impl ExactSizeIterator<Item = (&AttributeName, impl ExactSizeIterator<Item = &str>)> {
        self.attributes
            .iter()
            .map(|(name, values)| (name, values.iter().map(String::as_str)))
    }

    pub fn is_empty(&self) -> bool {
        self.destination_prefixes.is_empty()
            && self.destination_countries.is_empty()
            && self.caller_id_prefixes.is_empty()
            && self.queues.is_empty()
            && self.attributes.is_empty()
    }

    /// The first filter that the attempt does not pass.
    pub(crate) fn turns_away(&self, attempt: &Attempt) -> Option<NotApplied> {
        if !one_begins(&self.destination_prefixes, attempt.customer.as_ref())
            || !self.goes_to_country(attempt)
        {
            Some(NotApplied::OtherDestination)
        } else if !one_begins(&self.caller_id_prefixes, attempt.caller_id.as_ref()) {
            Some(NotApplied::OtherCallerId)
        } else if !self.comes_from_queue(attempt) {
            Some(NotApplied::OtherQueue)
        } else if !self.has_attributes(attempt) {
            Some(NotApplied::OtherAttributes)
        } else {
            None
        }
    }

    fn goes_to_country(&self, attempt: &Attempt) -> bool {
        let countries = &self.destination_countries;
        let country = attempt.customer_country.as_ref();
        countries.is_empty() || country.is_some_and(|country| countries.contains(country))
    }

    fn comes_from_queue(&self, attempt: &Attempt) -> bool {
        let Some(arn) = attempt.queue.as_deref() else {
            return self.queues.is_empty();
        };
        let id = arn.rsplit_once("/queue/").map(|(_, id)| id);
        self.queues.is_empty()
            || self.queues.contains(arn)
            || id.is_some_and(|id| self.queues.contains(id))
    }

    fn has_attributes(&self, attempt: &Attempt) -> bool {
        self.attributes.iter().all(|(name, values)| {
            attempt
                .attribute(name)
                .is_some_and(|value| values.contains(value))
        })
    }
}

/// Whether this is how the beginning of international numbers is written: a plus sign and 1 to 15 digits.
#[must_use]
pub fn is_number_prefix(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let starts_well = digits.starts_with(|c: char| ('1'..='9').contains(&c));
    starts_well && digits.len() <= 15 && digits.chars().all(|c| c.is_ascii_digit())
}

fn one_begins(prefixes: &BTreeSet<String>, number: Option<&Number>) -> bool {
    prefixes.is_empty()
        || number.is_some_and(|number| prefixes.iter().any(|prefix| number.starts_with(prefix)))
}
