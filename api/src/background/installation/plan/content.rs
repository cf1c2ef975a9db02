//! What is published, and what is there, told apart by digest. Pure.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Digest of a flow's text.
#[must_use]
pub fn content_sha256(content: &str) -> String {
    Sha256::digest(content.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Digest of what a flow does: where it begins, and its actions. How that is written and laid out makes no difference.
#[must_use]
pub fn actions_sha256(content: &str) -> String {
    match serde_json::from_str::<Value>(content) {
        Ok(Value::Object(flow)) if flow.contains_key("Actions") => {
            let actions = json!([flow.get("StartAction"), flow.get("Actions")]);
            content_sha256(&actions.to_string())
        }
        _ => content_sha256(content),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_flow_does_is_told_apart_from_how_it_is_written() {
        let flow = r#"{"StartAction":"a","Actions":[{"Identifier":"a","Type":"EndFlowExecution"}],"Metadata":{"x":1}}"#;
        let same = r#"{ "Metadata": {}, "Actions": [{ "Type": "EndFlowExecution", "Identifier": "a" }], "StartAction": "a" }"#;
        assert_eq!(actions_sha256(flow), actions_sha256(same));
        for other in [
            flow.replace("EndFlowExecution", "Wait"),
            flow.replace(r#""StartAction":"a""#, r#""StartAction":"b""#),
            "{}".to_owned(),
            "no flow".to_owned(),
        ] {
            assert_ne!(actions_sha256(flow), actions_sha256(&other), "{other}");
        }
        assert_ne!(actions_sha256("{}"), actions_sha256("no flow"));
    }
}
