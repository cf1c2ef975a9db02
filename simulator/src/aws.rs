//! What every AWS service here is given and gives back.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::iam::document::Policy;

/// Who signed a request.
#[derive(Debug, Clone)]
pub struct Caller {
    pub account_id: String,
    /// A user, or an assumed role's session.
    pub arn: String,
    pub identity: Identity,
}

/// What a caller's rights follow from.
#[derive(Debug, Clone)]
pub enum Identity {
    /// An administrator of the account.
    Administrator,
    /// A session of a role, with the session policy it was narrowed by.
    Session {
        role_arn: String,
        session_policy: Option<Policy>,
    },
}

/// A request whose signature has been checked.
#[derive(Debug, Clone)]
pub struct AwsRequest {
    pub service: String,
    pub operation: String,
    pub region: String,
    pub caller: Caller,
    pub method: String,
    /// As sent, still percent-encoded.
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl AwsRequest {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An answer in the service's own protocol.
#[derive(Debug, Clone)]
pub struct AwsResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl AwsResponse {
    pub fn new(status: u16, content_type: &str, body: Bytes) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body,
        }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", Bytes::from(body.to_string()))
    }

    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// An error, rendered by the front door as the service's protocol has it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AwsError {
    pub status: u16,
    pub code: String,
    pub message: String,
    /// Boxed, as few errors have any and every result carries the room for them.
    details: Option<Box<Details>>,
}

#[derive(Debug, Clone, Default)]
struct Details {
    headers: Vec<(String, String)>,
    extra: Map<String, Value>,
    body: Option<Value>,
}

impl AwsError {
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            details: None,
        }
    }

    /// Replaces the whole body.
    pub fn with_body(mut self, body: Value) -> Self {
        self.details.get_or_insert_default().body = Some(body);
        self
    }

    /// Adds a member to the body.
    pub fn with_extra(mut self, name: &str, value: Value) -> Self {
        self.details
            .get_or_insert_default()
            .extra
            .insert(name.to_owned(), value);
        self
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.details
            .get_or_insert_default()
            .headers
            .push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn headers(&self) -> &[(String, String)] {
        self.details
            .as_ref()
            .map_or(&[], |details| &details.headers)
    }

    /// The body in the REST protocols; Lambda adds whose fault it was.
    pub fn rest_body(&self, service: &str) -> Value {
        let details = self.details.as_deref();
        if let Some(body) = details.and_then(|details| details.body.as_ref()) {
            return body.clone();
        }
        let mut body = json!({"Message": self.message});
        if service == "lambda" {
            body["Type"] = json!(if self.status < 500 { "User" } else { "Service" });
        }
        for (name, value) in details.into_iter().flat_map(|details| &details.extra) {
            body[name] = value.clone();
        }
        body
    }
}
