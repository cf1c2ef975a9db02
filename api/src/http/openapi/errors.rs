//! Which errors an operation can answer. Most follow from what it takes; those that only it has it names in `x-errors`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::problem::{Code, Problem};
use super::each_operation;
use super::operations::{PERMISSION, in_a_tenant, is_done_once};

/// Codes that only this operation answers.
const OWN: &str = "x-errors";
const ANYTHING: &str = "Anything else that goes wrong; every code has a page under /docs/errors";

pub(super) fn describe(document: &mut Value) {
    let mut shared = Map::new();
    each_operation(document, |_, method, operation| {
        let mut by_status = BTreeMap::<u16, Vec<Code>>::new();
        for code in codes(method, operation) {
            by_status
                .entry(code.status().as_u16())
                .or_default()
                .push(code);
        }
        let answers = &mut operation["responses"];
        for (status, codes) in by_status {
            let name: String = codes
                .iter()
                .map(|code| format!("{code:?}"))
                .collect::<Vec<_>>()
                .join("Or");
            answers[status.to_string()] =
                json!({ "$ref": format!("#/components/responses/{name}") });
            shared
                .entry(name)
                .or_insert_with(|| answer(&titles(&codes), &codes));
        }
        answers["default"] = json!({ "$ref": "#/components/responses/Default" });
    });
    shared.insert("Default".to_owned(), answer(ANYTHING, &[Code::Internal]));
    document["components"]["responses"] = shared.into();
}

/// In the order in which [`Code`] has them.
fn codes(method: &str, operation: &Value) -> Vec<Code> {
    let permission = operation[PERMISSION].as_str();
    let changes_a_tenant = permission
        .and_then(in_a_tenant)
        .is_some_and(|known| known.changes);
    let parameter = |place: &str| parameters(operation).any(|parameter| parameter["in"] == place);
    let if_match = parameters(operation).any(|parameter| parameter["name"] == "If-Match");
    let body = &operation["requestBody"]["content"];
    let own = |code: Code| {
        let own = operation[OWN].as_array();
        own.into_iter().flatten().any(|own| own == code.as_str())
    };
    let applies = |code: Code| match code {
        Code::MalformedRequest => permission.is_some() || parameter("query"),
        Code::MalformedJson => body["application/json"].is_object(),
        Code::Unauthenticated | Code::Forbidden | Code::RateLimited => permission.is_some(),
        Code::ServiceUnavailable | Code::Timeout => permission.is_some(),
        Code::CrossSite => permission.is_some() && method != "get",
        Code::TenantSuspended | Code::TenantDeleted => changes_a_tenant,
        // A tenant that is not there for the caller.
        Code::NotFound => permission.is_some() || parameter("path"),
        Code::StaleVersion => if_match,
        Code::PayloadTooLarge | Code::UnsupportedMediaType => body.is_object(),
        Code::ValidationFailed => body.is_object(),
        Code::IdempotencyKeyReused => is_done_once(method, permission),
        _ => false,
    };
    let all = Code::ALL.iter().copied();
    all.filter(|code| own(*code) || applies(*code)).collect()
}

fn parameters(operation: &Value) -> impl Iterator<Item = &Value> {
    operation["parameters"].as_array().into_iter().flatten()
}

fn titles(codes: &[Code]) -> String {
    let titles: Vec<_> = codes
        .iter()
        .map(|code| format!("{} (`{}`)", code.title(), code.as_str()))
        .collect();
    titles.join(". ")
}

fn answer(description: &str, codes: &[Code]) -> Value {
    let examples: Map<String, Value> = codes
        .iter()
        .map(|code| {
            let shown = json!({ "summary": code.title(), "value": example(*code) });
            (code.as_str().to_owned(), shown)
        })
        .collect();
    let mut headers = json!({ "X-Request-Id": { "$ref": "#/components/headers/X-Request-Id" } });
    let waits = |code: &Code| matches!(code, Code::RateLimited | Code::ServiceUnavailable);
    if codes.iter().any(waits) {
        headers["Retry-After"] = json!({ "$ref": "#/components/headers/Retry-After" });
    }
    json!({
        "description": description,
        "headers": headers,
        "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" }, "examples": examples,
        } },
    })
}

fn example(code: Code) -> Value {
    let problem = Problem::example(code);
    serde_json::to_value(problem).unwrap_or_default()
}
