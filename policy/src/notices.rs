//! How agents are told: in which language, by which clock, in whose words.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::zone::Zone;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    #[default]
    En,
    Es,
}

/// What a policy says about its notices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Notices {
    pub(crate) language: Language,
    pub(crate) time_zone: Zone,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) agent_time_zones: BTreeMap<String, Zone>,
}

impl Notices {
    pub fn language(&self) -> Language {
        self.language
    }

    /// Connect tells nobody an agent's time zone, so the tenant says it: for single agents, or for all.
    pub fn time_zone_of(&self, agent_arn: &str) -> &Zone {
        self.agent_time_zones
            .get(agent_arn)
            .unwrap_or(&self.time_zone)
    }

    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What a template leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// The number dialled.
    Number,
    /// The rule's name.
    Rule,
    /// The rule in one sentence.
    Limit,
    /// When to try again.
    RetryAt,
    /// How long that is from now.
    Wait,
}

const PLACEHOLDERS: [(&str, Placeholder); 5] = [
    ("number", Placeholder::Number),
    ("rule", Placeholder::Rule),
    ("limit", Placeholder::Limit),
    ("retry_at", Placeholder::RetryAt),
    ("wait", Placeholder::Wait),
];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Open(Placeholder),
}

/// A text with placeholders in braces, such as "Try {number} again at {retry_at}."
#[derive(Clone, PartialEq, Eq)]
pub struct NoticeTemplate {
    text: String,
    parts: Vec<Part>,
}

impl NoticeTemplate {
    /// The template, or what is wrong with it in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                return Err("has a brace that is not closed".to_owned());
            };
            let known = PLACEHOLDERS.iter().find(|(known, _)| *known == name);
            let Some((_, placeholder)) = known else {
                return Err(format!(
                    "has a placeholder that is none of {}",
                    PLACEHOLDERS
                        .map(|(name, _)| format!("{{{name}}}"))
                        .join(", ")
                ));
            };
            push_text(&mut parts, before)?;
            parts.push(Part::Open(*placeholder));
            rest = after;
        }
        push_text(&mut parts, rest)?;
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn fill(&self, value: impl Fn(Placeholder) -> String) -> String {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Open(placeholder) => filled.push_str(&value(*placeholder)),
            }
        }
        filled
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) -> Result<(), String> {
    if text.contains('}') {
        return Err("has a brace that was not opened".to_owned());
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    Ok(())
}

impl fmt::Debug for NoticeTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl Serialize for NoticeTemplate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_where_it_is_open_and_nowhere_else() {
        let template =
            NoticeTemplate::parse("{number}: {limit} ({rule}). {wait}, {retry_at}!").unwrap();
        let filled = template.fill(|placeholder| match placeholder {
            // What is filled in is not filled again.
            Placeholder::Number => "{rule}".to_owned(),
            other => format!("{other:?}"),
        });
        assert_eq!(filled, "{rule}: Limit (Rule). Wait, RetryAt!");
        assert_eq!(
            NoticeTemplate::parse("plain")
                .unwrap()
                .fill(|_| String::new()),
            "plain"
        );
    }

    #[test]
    fn unknown_placeholders_and_stray_braces_are_told() {
        for (text, told) in [
            ("{name}", "none of"),
            ("{}", "none of"),
            ("{{number}}", "none of"),
            ("a { b", "not closed"),
            ("a } b", "not opened"),
            ("{number} }", "not opened"),
            ("} {number}", "not opened"),
        ] {
            assert!(
                NoticeTemplate::parse(text).unwrap_err().contains(told),
                "{text}"
            );
        }
    }
}
