//! The operations of the API's description, as tests walk them.

use axum::http::Method;
use ringfence_api::http::openapi;
use serde_json::Value;

#[derive(Debug)]
pub struct Operation {
    pub id: String,
    pub method: Method,
    pub path: String,
    /// As the description states it; none: open to everybody.
    pub permission: Option<String>,
}

pub fn document() -> Value {
    serde_json::from_str(&openapi::text()).expect("JSON")
}

pub fn operations() -> Vec<Operation> {
    let document = document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            found.push(Operation {
                id: operation["operationId"].as_str().expect("an id").to_owned(),
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                permission: operation["x-permission"].as_str().map(str::to_owned),
            });
        }
    }
    assert!(found.len() > 40);
    found
}

impl Operation {
    /// `tenants`, `instances`, …: the kind of thing that `{id}` names.
    pub fn resource(&self) -> &str {
        self.path.split('/').nth(2).unwrap_or_default()
    }

    pub fn names_something(&self) -> bool {
        self.path.contains("{id}")
    }

    pub fn at(&self, id: &str) -> String {
        let path = self
            .path
            .replace("{id}", id)
            .replace("{version}", "1")
            .replace("{number}", "+12065550100");
        match self.id.as_str() {
            // It would stay open for longer than any test waits.
            "decisions_live" => format!("{path}?seconds=1"),
            "stats_top" => format!("{path}?by=rule_id"),
            _ => path,
        }
    }

    pub fn takes_body(&self) -> bool {
        matches!(self.method, Method::POST | Method::PUT | Method::PATCH)
    }
}
