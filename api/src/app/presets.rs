//! Ready rules, each with the text that asks for it and the day on which somebody looked that up. They are a start, and no
//! legal advice: a tenant takes what fits into a policy of its own.

use serde::{Deserialize, Serialize};
use serde_json::Value;

const PRESETS: &str = include_str!("presets.json");

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    pub id: String,
    pub name: String,
    /// What the rules do.
    pub about: String,
    /// ISO 3166, with the state where it is a state's; none: everywhere.
    pub jurisdiction: Option<String>,
    pub citation: String,
    /// When the citation was last looked up.
    pub as_of: String,
    /// Since when it is in force, where that was looked up.
    pub effective_from: Option<String>,
    /// What the text asks for and these rules do not do.
    pub caveat: Option<String>,
    /// As they stand in a policy.
    pub rules: Vec<Value>,
}

/// All that there are, in the order in which they are shown.
#[must_use]
pub fn presets() -> Vec<Preset> {
    // The text is ours, and a test reads it.
    serde_json::from_str(PRESETS).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ringfence_policy::PolicyDraft;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_preset_is_a_policy_as_it_stands_and_all_of_them_together_too() {
        let all = presets();
        assert!(all.len() >= 5);
        let mut rules = Vec::new();
        for preset in &all {
            assert!(
                preset.as_of.parse::<jiff::civil::Date>().is_ok(),
                "{}",
                preset.id
            );
            let from = preset.effective_from.as_deref();
            assert!(
                from.is_none_or(|from| from.parse::<jiff::civil::Date>().is_ok()),
                "{}",
                preset.id
            );
            check(&preset.id, &preset.rules);
            rules.extend(preset.rules.clone());
        }
        check("all", &rules);
        let ids: BTreeSet<&str> = all.iter().map(|preset| preset.id.as_str()).collect();
        assert_eq!(ids.len(), all.len());
    }

    fn check(id: &str, rules: &[Value]) {
        let draft: PolicyDraft = serde_json::from_value(json!({ "rules": rules })).expect(id);
        if let Err(faults) = draft.check() {
            panic!("{id}: {faults:?}");
        }
    }
}
