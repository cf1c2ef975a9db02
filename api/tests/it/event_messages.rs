//! What webhooks are told, as the description shows it. That real messages are like that, the workers' tests see.

use std::collections::BTreeSet;

use ringfence_api::domain::webhook::EventKind;
use serde_json::Value;

use crate::openapi::{is_described, members, resolved};
use crate::operations::document;

/// A small part of JSON Schema: as much as the description of webhooks uses.
fn fits(document: &Value, schema: &Value, value: &Value, place: &str, wrong: &mut Vec<String>) {
    let schema = resolved(document, schema);
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        one => vec![one.clone()],
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_word = schema["enum"]
        .as_array()
        .is_none_or(|words| words.contains(value));
    let is_constant = schema["const"].is_null() || schema["const"] == *value;
    let is_time = schema["format"] != "date-time"
        || value
            .as_str()
            .is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok());
    if !kinds.iter().any(|known| known == kind) || !is_word || !is_constant || !is_time {
        wrong.push(format!("{place}: {value} is not {schema}"));
    }
    for (name, property) in members(&schema["properties"]) {
        fits(
            document,
            property,
            &value[name],
            &format!("{place}/{name}"),
            wrong,
        );
    }
    for (name, _) in members(value) {
        if schema["properties"][name].is_null() {
            wrong.push(format!("{place}/{name} is not described"));
        }
    }
    for item in value.as_array().into_iter().flatten() {
        fits(document, &schema["items"], item, place, wrong);
    }
}

#[test]
fn every_event_is_described_with_its_headers_and_an_example_that_fits() {
    let document = document();
    let described: BTreeSet<&str> = members(&document["webhooks"])
        .map(|(kind, _)| kind.as_str())
        .collect();
    let told: BTreeSet<&str> = EventKind::ALL.into_iter().map(EventKind::as_str).collect();
    assert_eq!(described, told);
    let mut wrong = Vec::new();
    for (kind, item) in members(&document["webhooks"]) {
        let operation = &item["post"];
        let headers = operation["parameters"].as_array().expect("headers");
        let names: Vec<_> = headers.iter().map(|header| &header["name"]).collect();
        assert_eq!(
            names,
            ["webhook-id", "webhook-timestamp", "webhook-signature"],
            "{kind}"
        );
        for header in headers {
            assert!(is_described(header), "{kind}: {}", header["name"]);
            fits(
                &document,
                &header["schema"],
                &header["example"],
                kind,
                &mut wrong,
            );
        }
        let body = &operation["requestBody"]["content"]["application/json"];
        assert_eq!(body["example"]["type"], kind.as_str());
        fits(
            &document,
            &body["schema"],
            &body["example"],
            kind,
            &mut wrong,
        );
    }
    assert!(wrong.is_empty(), "wrong:\n{}", wrong.join("\n"));
}
