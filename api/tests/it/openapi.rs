//! The description: committed, complete, and tied to the error pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ringfence_api::auth::PERMISSIONS;
use ringfence_api::http::{Code, openapi};
use serde_json::Value;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

#[test]
fn the_committed_description_is_what_the_handlers_say() {
    let committed = fs::read_to_string(docs().join("openapi.json")).expect("docs/openapi.json");
    assert!(
        committed == openapi::text(),
        "docs/openapi.json is out of date: run `make openapi`"
    );
}

fn document() -> Value {
    serde_json::from_str(&openapi::text()).expect("JSON")
}

/// Each operation, under its method and path.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            found.push((format!("{method} {path}"), operation));
        }
    }
    found
}

/// An answer may be one that several operations share.
pub fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(place) => document
            .pointer(place.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{place} is not there")),
        None => value,
    }
}

pub fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn is_exemplified(value: &Value) -> bool {
    value.get("example").is_some() || value.get("examples").is_some()
}

pub fn is_described(value: &Value) -> bool {
    value["description"]
        .as_str()
        .is_some_and(|text| !text.is_empty())
}

/// All that is missing, so that whoever adds an operation sees it at once.
#[test]
fn every_operation_says_what_it_takes_what_it_answers_and_how_both_look() {
    let document = document();
    let mut missing = Vec::new();
    let mut ids = BTreeSet::new();
    let tags: BTreeSet<&str> = document["tags"]
        .as_array()
        .expect("tags")
        .iter()
        .filter_map(|tag| tag["name"].as_str())
        .collect();
    assert!(
        document["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1"))
    );
    for (name, operation) in operations(&document) {
        let mut must = |holds: bool, what: &str| {
            if !holds {
                missing.push(format!("{name}: {what}"));
            }
        };
        let id = operation["operationId"].as_str().unwrap_or_default();
        must(
            !id.is_empty() && ids.insert(id.to_owned()),
            "an operationId of its own",
        );
        must(operation["summary"].is_string(), "a summary");
        let tag = operation["tags"][0].as_str().unwrap_or_default();
        must(tags.contains(tag), "a tag that is described");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let which = parameter["name"].as_str().unwrap_or_default();
            must(
                is_described(parameter),
                &format!("the description of {which}"),
            );
            must(is_exemplified(parameter), &format!("an example of {which}"));
        }
        for (form, body) in members(&operation["requestBody"]["content"]) {
            must(
                is_exemplified(body),
                &format!("an example of the body ({form})"),
            );
        }
        for (status, answer) in members(&operation["responses"]) {
            let answer = resolved(&document, answer);
            must(is_described(answer), &format!("what {status} means"));
            must(
                resolved(&document, &answer["headers"]["X-Request-Id"]).is_object(),
                &format!("the request's id in {status}"),
            );
            for (form, body) in members(&answer["content"]) {
                must(
                    is_exemplified(body),
                    &format!("an example of {status} ({form})"),
                );
            }
        }
    }
    assert!(missing.is_empty(), "missing:\n{}", missing.join("\n"));
}

#[test]
fn every_operation_names_the_errors_that_follow_from_what_it_takes() {
    let document = document();
    let mut missing = Vec::new();
    for (name, operation) in operations(&document) {
        let parameters: Vec<_> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .collect();
        let has = |place: &str| parameters.iter().any(|parameter| parameter["in"] == place);
        let mut wanted = vec!["default"];
        if operation["x-permission"].is_string() {
            wanted.extend(["400", "401", "403", "404", "429", "503", "504"]);
        }
        if has("path") {
            wanted.push("404");
        }
        if has("query") || has("header") {
            wanted.push("400");
        }
        if parameters
            .iter()
            .any(|parameter| parameter["name"] == "If-Match")
        {
            wanted.push("412");
        }
        if operation["requestBody"].is_object() {
            wanted.extend(["413", "415", "422"]);
        }
        for status in wanted {
            let answer = resolved(&document, &operation["responses"][status]);
            let schema = &answer["content"]["application/problem+json"]["schema"]["$ref"];
            if schema != "#/components/schemas/Problem" {
                missing.push(format!("{name}: {status}"));
            }
        }
        for code in operation["x-errors"].as_array().into_iter().flatten() {
            let known = Code::ALL.iter().find(|known| code == known.as_str());
            let known = known.unwrap_or_else(|| panic!("{name}: there is no code {code}"));
            let answer = resolved(&document, &operation["responses"][known.status().as_str()]);
            let examples = &answer["content"]["application/problem+json"]["examples"];
            assert!(examples[known.as_str()].is_object(), "{name}: {code}");
        }
    }
    assert!(missing.is_empty(), "missing:\n{}", missing.join("\n"));
}

/// What every operation reads of whoever calls it, whatever it does with it.
#[test]
fn every_operation_takes_the_tenant_and_what_changes_something_can_be_sent_again() {
    let document = document();
    let mut wrong = Vec::new();
    for (name, operation) in operations(&document) {
        let takes = |header: &str| {
            let mut parameters = operation["parameters"].as_array().into_iter().flatten();
            parameters.any(|parameter| parameter["name"] == header)
        };
        let permission = operation["x-permission"].as_str();
        if takes("Ringfence-Tenant") != permission.is_some() {
            wrong.push(format!("{name}: Ringfence-Tenant"));
        }
        let reads = PERMISSIONS
            .iter()
            .any(|known| permission == Some(known.name) && !known.changes);
        let is_done_once = name.starts_with("post ") && !reads;
        let success = members(&operation["responses"]).find(|(status, _)| status.starts_with('2'));
        let replays =
            success.is_some_and(|(_, answer)| answer["headers"]["Idempotent-Replayed"].is_object());
        let is_refused = operation["responses"]["422"]
            .to_string()
            .contains("IdempotencyKeyReused");
        for said in [takes("Idempotency-Key"), replays, is_refused] {
            if said != is_done_once {
                wrong.push(format!("{name}: Idempotency-Key"));
            }
        }
    }
    assert!(wrong.is_empty(), "wrong:\n{}", wrong.join("\n"));
}

/// Ids of others: Amazon Connect's, and the caller's own.
const FOREIGN_IDS: [&str; 13] = [
    "caller_id",
    "caller_id_number_id",
    "contact_id",
    "task_contact_id",
    "queue_id",
    "external_id",
    "account_id",
    "rule_id",
    "flow_id",
    "previous_flow_id",
    "whisper_flow_id",
    "notice_flow_id",
    "routing_profile_id",
];

#[test]
fn every_id_has_a_pattern_and_every_text_shows_what_it_looks_like() {
    let document = document();
    let mut missing = Vec::new();
    for (name, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let is_id = parameter["in"] == "path" && parameter["name"] != "version";
            if is_id && !parameter["schema"]["pattern"].is_string() {
                missing.push(format!("{name}: the pattern of {}", parameter["name"]));
            }
        }
    }
    for (name, schema) in members(&document["components"]["schemas"]) {
        texts(schema, name, &mut missing);
    }
    assert!(missing.is_empty(), "missing:\n{}", missing.join("\n"));
}

fn texts(schema: &Value, place: &str, missing: &mut Vec<String>) {
    for (name, property) in members(&schema["properties"]) {
        let place = format!("{place}.{name}");
        let is_id = name == "id" || name.ends_with("_id");
        let is_foreign = FOREIGN_IDS.contains(&name.as_str());
        if is_id && !is_foreign && !property["pattern"].is_string() {
            missing.push(format!("{place}: its pattern"));
        }
        let kind = &property["type"];
        let is_text = kind == "string" || kind[0] == "string";
        let looks = is_exemplified(property)
            || property["enum"].is_array()
            || property["format"] == "date-time";
        if is_text && !looks {
            missing.push(format!("{place}: an example"));
        }
        texts(property, &place, missing);
    }
    for several in ["allOf", "oneOf", "anyOf"] {
        for one in schema[several].as_array().into_iter().flatten() {
            texts(one, place, missing);
        }
    }
    if schema["items"].is_object() {
        texts(&schema["items"], place, missing);
    }
}

#[test]
fn every_error_has_a_page_and_every_page_an_error() {
    let pages: BTreeSet<String> = fs::read_dir(docs().join("errors"))
        .expect("docs/errors")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let codes: BTreeSet<String> = Code::ALL
        .iter()
        .map(|code| format!("{}.md", code.as_str()))
        .collect();
    assert_eq!(pages, codes);
    for code in Code::ALL {
        let page = fs::read_to_string(docs().join("errors").join(format!("{}.md", code.as_str())))
            .expect("a page");
        let title = format!("# {}\n", code.title());
        assert!(
            page.starts_with(&title),
            "{} does not start with {title:?}",
            code.as_str()
        );
        let line = format!(
            "`{}` · HTTP status {}",
            code.as_str(),
            code.status().as_u16()
        );
        assert!(
            page.contains(&line),
            "{} does not say {line}",
            code.as_str()
        );
    }
}

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members
                .values()
                .for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// What makes clients stops at the first one that leads nowhere.
#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 100);
    let lost: Vec<&&str> = found
        .iter()
        .filter(|place| document.pointer(place.trim_start_matches('#')).is_none())
        .collect();
    assert!(lost.is_empty(), "{lost:?}");
}
