//! References into a contact (`$.CustomerEndpoint.Address`), alone or inside a text.
//!
//! A reference to something that is not there is the empty text, as in Amazon Connect, never an error.

use serde_json::{Map, Value};

/// Whether the whole text is one reference.
pub fn is_reference(text: &str) -> bool {
    text.starts_with("$.") && reference_length(text) == text.len()
}

/// The value a reference names in the contact's document.
pub fn lookup<'d>(document: &'d Value, reference: &str) -> Option<&'d Value> {
    segments(reference)?
        .iter()
        .try_fold(document, |value, segment| value.get(segment.as_str()))
}

/// A value as text: what a comparison or an interpolation sees.
pub fn as_text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Replaces every reference in a text by its value.
pub fn interpolate(document: &Value, text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("$.") {
        let (before, tail) = rest.split_at(at);
        result.push_str(before);
        let length = reference_length(tail);
        if length == 0 {
            result.push_str("$.");
            rest = &tail[2..];
        } else {
            result.push_str(&as_text(lookup(document, &tail[..length])));
            rest = &tail[length..];
        }
    }
    result.push_str(rest);
    result
}

/// Resolves every text inside a JSON value; a text that is one whole reference keeps the type of what it names.
pub fn resolve(document: &Value, value: &Value) -> Value {
    match value {
        Value::String(text) if is_reference(text) => {
            lookup(document, text).cloned().unwrap_or(Value::Null)
        }
        Value::String(text) => Value::String(interpolate(document, text)),
        Value::Array(items) => items.iter().map(|item| resolve(document, item)).collect(),
        Value::Object(members) => Value::Object(resolve_members(document, members)),
        other => other.clone(),
    }
}

/// Resolves a map to flat text, as attributes are.
pub fn resolve_texts(document: &Value, members: &Map<String, Value>) -> Map<String, Value> {
    members
        .iter()
        .map(|(name, value)| {
            (
                name.clone(),
                Value::String(as_text(Some(&resolve(document, value)))),
            )
        })
        .collect()
}

fn resolve_members(document: &Value, members: &Map<String, Value>) -> Map<String, Value> {
    members
        .iter()
        .map(|(name, value)| (name.clone(), resolve(document, value)))
        .collect()
}

/// The length of the reference a text starts with; 0 when it starts with none.
fn reference_length(text: &str) -> usize {
    let Some(mut rest) = text.strip_prefix('$') else {
        return 0;
    };
    loop {
        let taken = segment_length(rest);
        if taken == 0 {
            break;
        }
        rest = &rest[taken..];
    }
    let length = text.len() - rest.len();
    if length > 1 { length } else { 0 }
}

fn segment_length(text: &str) -> usize {
    if let Some(name) = text.strip_prefix('.') {
        let length = name
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
            .unwrap_or(name.len());
        return if length == 0 { 0 } else { length + 1 };
    }
    match text.strip_prefix("['").and_then(|name| name.find("']")) {
        Some(length) if length > 0 => length + 4,
        _ => 0,
    }
}

fn segments(reference: &str) -> Option<Vec<String>> {
    let mut rest = reference.strip_prefix('$')?;
    let mut names = Vec::new();
    while !rest.is_empty() {
        let length = segment_length(rest);
        let (segment, tail) = rest.split_at_checked(length).filter(|_| length > 0)?;
        names.push(
            segment
                .strip_prefix('.')
                .unwrap_or_else(|| &segment[2..segment.len() - 2])
                .to_owned(),
        );
        rest = tail;
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_found_alone_and_inside_text() {
        let document = json!({
            "Channel": "VOICE",
            "CustomerEndpoint": {"Address": "+12065550100"},
            "SegmentAttributes": {"connect:Subtype": "connect:Telephony"},
            "External": {"Count": 3},
        });
        assert!(is_reference("$.Agent.ARN"));
        assert!(!is_reference("see $.Agent.ARN"));
        assert!(!is_reference("$.Agent.ARN now"));
        assert_eq!(
            as_text(lookup(&document, "$.SegmentAttributes['connect:Subtype']")),
            "connect:Telephony"
        );
        assert_eq!(as_text(lookup(&document, "$.Nothing.Here")), "");
        assert_eq!(
            interpolate(
                &document,
                "Call to $.CustomerEndpoint.Address. Count $.External.Count, $.None; $.. $5"
            ),
            "Call to +12065550100. Count 3, ; $.. $5"
        );
        assert_eq!(
            resolve(
                &document,
                &json!({"a": "$.External.Count", "b": ["$.Channel"]})
            ),
            json!({"a": 3, "b": ["VOICE"]})
        );
    }
}
