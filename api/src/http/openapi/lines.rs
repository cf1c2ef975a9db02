//! Answers that are a document a line: to a client the whole is a text, and what a line holds stands in `contentSchema`.

use serde_json::{Value, json};

use super::each_operation;

const NDJSON: &str = "application/x-ndjson";

/// Handlers name the document of a line as if it were the answer.
pub(super) fn describe(document: &mut Value) {
    each_operation(document, |_, _, operation| {
        let Some(answer) = operation.pointer_mut("/responses/200/content") else {
            return;
        };
        let Some(body) = answer.get_mut(NDJSON) else {
            return;
        };
        let line = body["schema"].take();
        body["schema"] = json!({
            "type": "string", "description": "A document a line", "contentMediaType": NDJSON, "contentSchema": line,
        });
        body["example"] = format!("{}\n", body["example"]).into();
    });
}
