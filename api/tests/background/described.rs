//! What webhooks are told is what the API's description says that they are.

use std::collections::BTreeSet;

use ringfence_api::http::openapi;
use serde_json::Value;

/// The members of the data, neither more nor fewer, and none null that the description does not have so.
#[track_caller]
pub fn is_as_described(kind: &str, data: &Value) {
    let document = openapi::document();
    let body = &document["webhooks"][kind]["post"]["requestBody"]["content"];
    let place = &body["application/json"]["schema"]["properties"]["data"]["$ref"];
    let place = place.as_str().expect("a schema").trim_start_matches('#');
    let described = &document.pointer(place).expect("a schema")["properties"];
    let described = described.as_object().expect("members");
    let told = data.as_object().expect("members");
    let names = |members: &serde_json::Map<String, Value>| -> BTreeSet<String> {
        members.keys().cloned().collect()
    };
    assert_eq!(names(told), names(described), "{kind}");
    for (name, value) in told {
        let may_be_null = described[name]["type"][1] == "null";
        assert!(!value.is_null() || may_be_null, "{kind}: {name} is null");
    }
}
