//! Whatever the tests are answered has a status that the description lists with the operation, beside its `default`, which
//! stands for what nobody can foresee.

use std::sync::LazyLock;

use axum::http::{Method, StatusCode};
use ringfence_api::http::openapi;
use serde_json::Value;

static PATHS: LazyLock<Vec<(String, Value)>> = LazyLock::new(|| {
    let document = openapi::document();
    let paths = document["paths"].as_object().expect("paths");
    paths.clone().into_iter().collect()
});

/// Addresses and methods that are not described are none of its business, and neither are faults of ours.
#[track_caller]
pub fn must_list(method: &Method, path: &str, status: StatusCode) {
    let Some(operation) = operation(method, path) else {
        return;
    };
    let is_listed = operation["responses"].get(status.as_str()).is_some();
    assert!(
        is_listed || status == StatusCode::INTERNAL_SERVER_ERROR,
        "{method} {path} answered {status}, which {} does not list",
        operation["operationId"]
    );
}

fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let fitting = PATHS.iter().filter(|(pattern, _)| fits(pattern, path));
    // As the router does: what stands there in words goes before what anything fits.
    let (_, item) = fitting.min_by_key(|(pattern, _)| pattern.matches('{').count())?;
    item.get(method.as_str().to_lowercase())
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut parts) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), parts.next()) {
            (None, None) => return true,
            (Some(wanted), Some(part)) if wanted == part => {}
            (Some(wanted), Some(part)) if wanted.starts_with('{') && !part.is_empty() => {}
            _ => return false,
        }
    }
}

#[test]
fn an_operation_is_found_as_the_router_finds_it() {
    let id = |path: &str| operation(&Method::GET, path).map(|found| found["operationId"].clone());
    assert_eq!(id("/v1/decisions/live"), Some("decisions_live".into()));
    assert_eq!(id("/v1/decisions/dec_1"), Some("decisions_get".into()));
    assert_eq!(id("/v1/decisions/"), None);
    assert_eq!(id("/v1/nothing"), None);
}

#[test]
#[should_panic(expected = "does not list")]
fn a_status_that_is_not_listed_is_found() {
    must_list(&Method::GET, "/v1/me", StatusCode::IM_A_TEAPOT);
}
