//! The description: committed, complete, and tied to the error pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

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

#[test]
fn every_operation_has_its_own_id_a_summary_and_says_what_may_go_wrong() {
    let document: Value = serde_json::from_str(&openapi::text()).expect("JSON");
    assert!(
        document["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1"))
    );
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let id = operation["operationId"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            assert!(
                operation["summary"].is_string(),
                "{method} {path} has no summary"
            );
            assert!(
                operation["responses"]["default"].is_object(),
                "{method} {path} has no problems"
            );
            assert!(
                ids.insert(id.clone()),
                "{method} {path}: {id} is used twice"
            );
        }
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
