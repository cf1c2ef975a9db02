//! What the flow gets back: a flat map of text that stays within what Connect accepts in a `STRING_MAP`.

use std::collections::BTreeMap;

use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Answer(BTreeMap<&'static str, String>);

impl Answer {
    pub(crate) fn new(allowed: bool) -> Self {
        let mut answer = Self::noted();
        answer.set("CallAllowed", if allowed { "true" } else { "false" });
        answer
    }

    /// For what is no question.
    pub(crate) fn noted() -> Self {
        let mut answer = Self(BTreeMap::new());
        answer.set("Result", "SUCCESS");
        answer
    }

    /// Connect documents letters, digits, dash and underscore; anything else is left out.
    fn set(&mut self, name: &'static str, value: impl AsRef<str>) {
        let value = value
            .as_ref()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_')
            .collect();
        self.0.insert(name, value);
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.set(name, value);
        self
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn allowed(&self) -> bool {
        self.get("CallAllowed") == Some("true")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_to_what_connect_accepts() {
        let answer = Answer::new(false).with("RuleId", "a+b c_d-1");
        assert_eq!(answer.get("RuleId"), Some("abc_d-1"));
        let json = serde_json::to_value(&answer).unwrap();
        assert_eq!(json["CallAllowed"], "false");
        assert_eq!(json["Result"], "SUCCESS");
    }
}
