//! An example of every body and parameter, put together from those of its fields. A type or a field that has one of its own
//! keeps it.

use serde_json::{Map, Value, json};

use super::each_operation;

const A_TIME: &str = "2026-11-25T12:00:00Z";
/// Words that fit the fields beside them; else the first of a list is taken.
const CHOSEN: [(&str, &str, &str); 16] = [
    ("ApiKey", "role", "editor"),
    ("NewApiKey", "role", "editor"),
    ("Decision", "outcome", "denied"),
    ("Check", "outcome", "allowed"),
    ("Decision", "stop", "stopped"),
    ("Decision", "notice", "sent"),
    ("Delivery", "state", "delivered"),
    ("Me", "kind", "session"),
    ("Me", "role", "admin"),
    ("PolicyChange", "before", "enforce"),
    ("PolicyChange", "after", "shadow"),
    ("NewInvitation", "role", "editor"),
    ("Invitation", "role", "editor"),
    ("MemberChange", "role", "editor"),
    ("Installation", "state", "installed"),
    ("Instance", "status", "verified"),
];
/// No schema of ours goes deeper.
const DEEPEST: u32 = 16;

pub(super) fn give(document: &mut Value) {
    for (schema, property, word) in CHOSEN {
        let place = format!("/components/schemas/{schema}/properties/{property}");
        if let Some(property) = document.pointer_mut(&place) {
            property["example"] = word.into();
        }
    }
    let schemas = document["components"]["schemas"].clone();
    let sampler = Sampler(&schemas);
    each_operation(document, |_, _, operation| {
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            sampler.exemplify(parameter);
        }
        sampler.exemplify_all(operation.get_mut("requestBody"));
        let answers = operation["responses"].as_object_mut();
        for answer in answers.into_iter().flatten() {
            sampler.exemplify_all(Some(answer.1));
        }
    });
}

/// Of a schema; none where nothing says what a value looks like.
pub(super) fn sample(schemas: &Value, schema: &Value) -> Option<Value> {
    Sampler(schemas).sample(schema, DEEPEST)
}

struct Sampler<'a>(&'a Value);

impl Sampler<'_> {
    /// Every form that a body may have.
    fn exemplify_all(&self, body: Option<&mut Value>) {
        let forms = body.and_then(|body| body.get_mut("content")?.as_object_mut());
        for (_, form) in forms.into_iter().flatten() {
            self.exemplify(form);
        }
    }

    fn exemplify(&self, described: &mut Value) {
        let has_one = described.get("example").is_some() || described.get("examples").is_some();
        if !has_one && let Some(sample) = self.sample(&described["schema"], DEEPEST) {
            described["example"] = sample;
        }
    }

    /// None where nothing says what a value looks like.
    fn sample(&self, schema: &Value, deep: u32) -> Option<Value> {
        let deep = deep.checked_sub(1)?;
        if let Some(given) = given(schema) {
            return Some(given.clone());
        }
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next()?;
            return self.sample(self.0.get(name)?, deep);
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let mut whole = Map::new();
            for part in parts {
                whole.extend(self.sample(part, deep)?.as_object()?.clone());
            }
            return Some(whole.into());
        }
        let ways = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
        if let Some(ways) = ways {
            return ways.iter().find_map(|way| self.sample(way, deep));
        }
        match kind(schema)? {
            "object" => self.object(schema, deep),
            "array" => Some(json!([self.sample(&schema["items"], deep)?])),
            "string" if schema["format"] == "date-time" => Some(A_TIME.into()),
            "integer" | "number" => Some(schema.get("minimum").cloned().unwrap_or(json!(1))),
            "boolean" => Some(false.into()),
            _ => None,
        }
    }

    fn object(&self, schema: &Value, deep: u32) -> Option<Value> {
        let mut whole = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            whole.insert(name.clone(), self.sample(property, deep)?);
        }
        Some(whole.into())
    }
}

fn given(schema: &Value) -> Option<&Value> {
    let first = |name: &str| schema.get(name)?.as_array()?.first();
    schema
        .get("example")
        .or_else(|| first("examples"))
        .or_else(|| schema.get("const"))
        .or_else(|| first("enum"))
        .or_else(|| schema.get("default"))
}

/// The type; of one that may be null, the other.
fn kind(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::String(one) => Some(one),
        Value::Array(several) => {
            let mut several = several.iter().filter_map(Value::as_str);
            several.find(|one| *one != "null")
        }
        _ => None,
    }
}
