//! A record of every AWS request: the latest ones in memory, all of them in a file where one was asked for.
//!
//! Nothing secret is kept: headers are left out, external ids masked.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

const KEPT_ENTRIES: usize = 20_000;
const MASKED_PARAMETERS: &[&str] = &["ExternalId", "external_id"];
const MASK: &str = "masked";

/// One request and how it was answered.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    pub at: Timestamp,
    pub service: String,
    pub operation: String,
    pub account_id: String,
    pub region: String,
    pub caller: String,
    pub method: String,
    pub path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
    pub parameters: Value,
    pub status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub ms: u64,
}

/// The record.
#[derive(Debug, Default)]
pub struct Log {
    entries: Mutex<VecDeque<Entry>>,
    file: Option<Mutex<BufWriter<File>>>,
}

/// Which entries to show.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Filter {
    pub service: Option<String>,
    pub operation: Option<String>,
    pub account_id: Option<String>,
    pub limit: Option<usize>,
}

impl Log {
    /// A record that is written to a file too.
    pub fn to_file(path: &Path) -> io::Result<Self> {
        Ok(Self {
            entries: Mutex::default(),
            file: Some(Mutex::new(BufWriter::new(File::create(path)?))),
        })
    }

    pub fn push(&self, entry: Entry) {
        if let Some(file) = &self.file {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let written = serde_json::to_writer(&mut *file, &entry)
                .map_err(io::Error::from)
                .and_then(|()| {
                    file.write_all(b"\n")?;
                    file.flush()
                });
            if let Err(error) = written {
                tracing::warn!(%error, "write the request log");
            }
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == KEPT_ENTRIES {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// The latest entries that fit, oldest first.
    pub fn find(&self, filter: &Filter) -> Vec<Entry> {
        let fits = |wanted: &Option<String>, value: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == value)
        };
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let found = entries.iter().rev().filter(|entry| {
            fits(&filter.service, &entry.service)
                && fits(&filter.operation, &entry.operation)
                && fits(&filter.account_id, &entry.account_id)
        });
        let mut found: Vec<Entry> = found
            .take(filter.limit.unwrap_or(KEPT_ENTRIES))
            .cloned()
            .collect();
        found.reverse();
        found
    }
}

/// A request's parameters: its JSON or its form.
pub fn parameters(content_type: Option<&str>, body: &[u8]) -> Value {
    if content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        let form = url::form_urlencoded::parse(body).map(|(name, value)| {
            let value = if MASKED_PARAMETERS.contains(&&*name) {
                MASK.to_owned()
            } else {
                value.into_owned()
            };
            (name.into_owned(), Value::String(value))
        });
        return Value::Object(form.collect());
    }
    let mut json = serde_json::from_slice(body).unwrap_or_else(|_| Value::Object(Map::new()));
    mask(&mut json);
    json
}

/// Masks at any depth, also inside texts that are JSON themselves, as stored documents are. Says whether it had to.
fn mask(value: &mut Value) -> bool {
    match value {
        Value::Object(members) => {
            let mut masked = false;
            for (name, member) in members {
                if MASKED_PARAMETERS.contains(&name.as_str()) {
                    *member = Value::String(MASK.to_owned());
                    masked = true;
                } else {
                    masked |= mask(member);
                }
            }
            masked
        }
        Value::Array(elements) => elements
            .iter_mut()
            .fold(false, |masked, element| mask(element) | masked),
        Value::String(text) if text.starts_with('{') => {
            let Ok(mut inner) = serde_json::from_str(text) else {
                return false;
            };
            let masked = mask(&mut inner);
            if masked {
                *text = inner.to_string();
            }
            masked
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn forms_and_json_are_parsed_and_external_ids_masked() {
        let form = parameters(
            Some("application/x-www-form-urlencoded; charset=utf-8"),
            b"Action=AssumeRole&ExternalId=abc&DurationSeconds=900",
        );
        assert_eq!(
            form,
            json!({"Action": "AssumeRole", "ExternalId": "masked", "DurationSeconds": "900"})
        );
        assert_eq!(
            parameters(Some("application/json"), br#"{"ContactId":"c"}"#),
            json!({"ContactId": "c"})
        );
        assert_eq!(parameters(None, b""), json!({}));
    }

    #[test]
    fn external_ids_inside_stored_documents_are_masked_and_other_texts_left_alone() {
        let body = json!({"Item": {
            "snapshot": {"S": r#"{"revision": 1, "external_id": "abc"}"#},
            "other": {"S": r#"{ "b": 1,  "a": 2 }"#},
        }});
        assert_eq!(
            parameters(
                Some("application/x-amz-json-1.0"),
                body.to_string().as_bytes()
            ),
            json!({"Item": {
                "snapshot": {"S": r#"{"external_id":"masked","revision":1}"#},
                "other": {"S": r#"{ "b": 1,  "a": 2 }"#},
            }})
        );
    }
}
