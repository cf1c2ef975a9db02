//! What differs between two policies: rules are compared by their ids, so that one that only moved is no difference.

use ringfence_policy::{Language, Policy, describe};
use serde_json::{Map, Value};

#[derive(Debug, Clone, PartialEq)]
pub struct PolicyChange {
    /// Of a rule; none: of the policy itself.
    pub rule_id: Option<String>,
    /// JSON pointer into the rule or the policy; empty: all of it.
    pub pointer: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// A rule that reads otherwise, is new or is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentenceChange {
    pub rule_id: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

#[must_use]
pub fn changes(before: &Policy, after: &Policy) -> Vec<PolicyChange> {
    let (mut before, mut after) = (document(before), document(after));
    let rules = (rules_of(&mut before), rules_of(&mut after));
    let mut found = Vec::new();
    compare(
        None,
        "",
        &Value::Object(before),
        &Value::Object(after),
        &mut found,
    );
    for (id, old) in &rules.0 {
        match rules.1.iter().find(|(other, _)| other == id) {
            Some((_, new)) => compare(Some(id), "", old, new, &mut found),
            None => found.push(whole(id, Some(old.clone()), None)),
        }
    }
    let is_new = |id: &String| !rules.0.iter().any(|(other, _)| other == id);
    let new = rules.1.iter().filter(|(id, _)| is_new(id));
    found.extend(new.map(|(id, rule)| whole(id, None, Some(rule.clone()))));
    found
}

#[must_use]
pub fn sentences(before: &Policy, after: &Policy) -> Vec<SentenceChange> {
    let all = |policy: &Policy| -> Vec<(String, String)> {
        let told = |rule| {
            (
                ringfence_policy::Rule::id(rule).to_string(),
                describe(rule, Language::En),
            )
        };
        policy.rules().iter().map(told).collect()
    };
    let (before, after) = (all(before), all(after));
    let of = |told: &[(String, String)], id: &str| {
        told.iter()
            .find(|(other, _)| other == id)
            .map(|(_, text)| text.clone())
    };
    let mut ids: Vec<&String> = before.iter().map(|(id, _)| id).collect();
    ids.extend(
        after
            .iter()
            .map(|(id, _)| id)
            .filter(|id| of(&before, id).is_none()),
    );
    ids.into_iter()
        .map(|id| SentenceChange {
            rule_id: id.clone(),
            before: of(&before, id),
            after: of(&after, id),
        })
        .filter(|change| change.before != change.after)
        .collect()
}

fn document(policy: &Policy) -> Map<String, Value> {
    match serde_json::to_value(policy) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

fn rules_of(document: &mut Map<String, Value>) -> Vec<(String, Value)> {
    let Some(Value::Array(rules)) = document.remove("rules") else {
        return Vec::new();
    };
    rules
        .into_iter()
        .map(|rule| (rule["id"].as_str().unwrap_or_default().to_owned(), rule))
        .collect()
}

fn whole(id: &str, before: Option<Value>, after: Option<Value>) -> PolicyChange {
    PolicyChange {
        rule_id: Some(id.to_owned()),
        pointer: String::new(),
        before,
        after,
    }
}

/// Goes into objects; lists are compared as a whole.
fn compare(
    rule: Option<&String>,
    pointer: &str,
    before: &Value,
    after: &Value,
    found: &mut Vec<PolicyChange>,
) {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        if before != after {
            let some = |value: &Value| (!value.is_null()).then(|| value.clone());
            found.push(PolicyChange {
                rule_id: rule.cloned(),
                pointer: pointer.to_owned(),
                before: some(before),
                after: some(after),
            });
        }
        return;
    };
    let names = old
        .keys()
        .chain(new.keys().filter(|name| !old.contains_key(*name)));
    for name in names {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let member = |members: &Map<String, Value>| members.get(name).cloned().unwrap_or_default();
        compare(
            rule,
            &format!("{pointer}/{escaped}"),
            &member(old),
            &member(new),
            found,
        );
    }
}

#[cfg(test)]
mod tests {
    use ringfence_policy::PolicyDraft;
    use serde_json::json;

    use super::*;

    fn policy(document: Value) -> Policy {
        let draft: PolicyDraft = serde_json::from_value(document).expect("a draft");
        draft.check().expect("a policy")
    }

    fn rule(id: &str, max: u32) -> Value {
        json!({ "id": id, "per": ["customer"], "limit": { "kind": "sliding", "max": max, "window_seconds": 60 } })
    }

    #[test]
    fn what_differs_is_named_and_an_order_is_no_difference() {
        let before = policy(json!({ "rules": [rule("a", 3), rule("b", 3)] }));
        let moved = policy(json!({ "rules": [rule("b", 3), rule("a", 3)] }));
        assert_eq!(changes(&before, &moved), []);
        assert_eq!(sentences(&before, &moved), []);
        let after = policy(json!({ "mode": "shadow", "rules": [rule("c", 1), rule("a", 4)] }));
        let found = changes(&before, &after);
        let places: Vec<(Option<&str>, &str)> = found
            .iter()
            .map(|change| (change.rule_id.as_deref(), change.pointer.as_str()))
            .collect();
        assert_eq!(
            places,
            [
                (None, "/mode"),
                (Some("a"), "/limit/max"),
                (Some("b"), ""),
                (Some("c"), "")
            ]
        );
        assert_eq!(
            (&found[1].before, &found[1].after),
            (&Some(json!(3)), &Some(json!(4)))
        );
        assert!(found[2].after.is_none() && found[3].before.is_none());
        let told = sentences(&before, &after);
        let ids: Vec<&str> = told.iter().map(|change| change.rule_id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
    }
}
