//! What attempts are counted per.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

const ATTRIBUTE: &str = "attribute:";
const ATTRIBUTE_NAME_MAX: usize = 100;

/// The name of a contact attribute. Connect takes letters, digits, dash and underscore; its flows take spaces as well.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeName(Arc<str>);

impl AttributeName {
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ' ');
        let fits = !text.is_empty() && text.len() <= ATTRIBUTE_NAME_MAX && text.trim() == text;
        (fits && text.chars().all(allowed)).then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// In the order in which reasons and keys name them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    Customer,
    CallerId,
    Agent,
    Queue,
    Attribute(AttributeName),
}

impl Dimension {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "customer" => Some(Self::Customer),
            "caller_id" => Some(Self::CallerId),
            "agent" => Some(Self::Agent),
            "queue" => Some(Self::Queue),
            other => AttributeName::parse(other.strip_prefix(ATTRIBUTE)?).map(Self::Attribute),
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer => f.write_str("customer"),
            Self::CallerId => f.write_str("caller_id"),
            Self::Agent => f.write_str("agent"),
            Self::Queue => f.write_str("queue"),
            Self::Attribute(name) => write!(f, "{ATTRIBUTE}{}", name.as_str()),
        }
    }
}

impl Serialize for Dimension {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The word a flow compares for rules that count per these dimensions; the sample's `system` is our caller id.
pub(crate) fn reason<'d>(per: impl IntoIterator<Item = &'d Dimension>) -> &'static str {
    let place = per.into_iter().fold(0_usize, |place, dimension| {
        place
            | match dimension {
                Dimension::Customer => 1,
                Dimension::CallerId => 2,
                Dimension::Agent => 4,
                Dimension::Queue => 8,
                Dimension::Attribute(_) => 16,
            }
    });
    REASONS.get(place).copied().unwrap_or_default()
}

/// By the sum of the dimensions' bits.
const REASONS: [&str; 32] = [
    "",
    "customer",
    "system",
    "customer_system",
    "agent",
    "customer_agent",
    "system_agent",
    "customer_system_agent",
    "queue",
    "customer_queue",
    "system_queue",
    "customer_system_queue",
    "agent_queue",
    "customer_agent_queue",
    "system_agent_queue",
    "customer_system_agent_queue",
    "attribute",
    "customer_attribute",
    "system_attribute",
    "customer_system_attribute",
    "agent_attribute",
    "customer_agent_attribute",
    "system_agent_attribute",
    "customer_system_agent_attribute",
    "queue_attribute",
    "customer_queue_attribute",
    "system_queue_attribute",
    "customer_system_queue_attribute",
    "agent_queue_attribute",
    "customer_agent_queue_attribute",
    "system_agent_queue_attribute",
    "customer_system_agent_queue_attribute",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_joins_the_words_of_its_dimensions_in_order() {
        let attribute = Dimension::parse("attribute:campaign").unwrap();
        let words = [
            (Dimension::Customer, "customer"),
            (Dimension::CallerId, "system"),
            (Dimension::Agent, "agent"),
            (Dimension::Queue, "queue"),
            (attribute, "attribute"),
        ];
        for chosen in 0_u32..32 {
            let of_them = words
                .iter()
                .enumerate()
                .filter(|(index, _)| chosen & (1 << index) != 0)
                .map(|(_, word)| word);
            let expected: Vec<&str> = of_them.clone().map(|(_, word)| *word).collect();
            assert_eq!(
                reason(of_them.map(|(dimension, _)| dimension)),
                expected.join("_")
            );
        }
    }

    #[test]
    fn several_attributes_are_one_word() {
        let attributes = ["attribute:a", "attribute:b"].map(|text| Dimension::parse(text).unwrap());
        assert_eq!(reason(&attributes), "attribute");
    }

    #[test]
    fn a_dimension_is_written_as_it_is_read() {
        for text in [
            "customer",
            "caller_id",
            "agent",
            "queue",
            "attribute:Account-Id_7",
            "attribute:two words",
        ] {
            assert_eq!(Dimension::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "Customer",
            "attribute",
            "attribute:",
            "attribute: a",
            "attribute:a|b",
            "attribute:é",
            &format!("attribute:{}", "a".repeat(101)),
        ] {
            assert_eq!(Dimension::parse(text), None, "{text}");
        }
    }
}
