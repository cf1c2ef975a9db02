//! A plain client of Ringfence's REST API, as a customer would write one.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::{DevError, Result};

#[derive(Clone)]
pub struct Rest {
    http: reqwest::Client,
    base: String,
    token: String,
    tenant: Option<String>,
    idempotency_key: Option<String>,
}

/// The token stays out of what is printed.
impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rest")
            .field("base", &self.base)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl Rest {
    pub fn new(base: &str, token: &str) -> Self {
        Self {
            http: client(),
            base: base.to_owned(),
            token: token.to_owned(),
            tenant: None,
            idempotency_key: None,
        }
    }

    /// The same server seen with another key.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            tenant: None,
            ..self.clone()
        }
    }

    /// An operator's requests on behalf of a tenant.
    pub fn for_tenant(&self, tenant: &str) -> Self {
        Self {
            tenant: Some(tenant.to_owned()),
            ..self.clone()
        }
    }

    /// Requests that are done once, however often they are sent.
    pub fn once(&self, key: &str) -> Self {
        Self {
            idempotency_key: Some(key.to_owned()),
            ..self.clone()
        }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub async fn get(&self, path: &str) -> Result<Value> {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Result<Value> {
        self.send(Method::DELETE, path, None).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let url = format!("{}{path}", self.base);
        let mut request = self
            .http
            .request(method.clone(), &url)
            .bearer_auth(&self.token);
        if let Some(tenant) = &self.tenant {
            request = request.header("Ringfence-Tenant", tenant);
        }
        if let Some(key) = &self.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        answer(method.as_str(), &url, request).await
    }
}

pub fn client() -> reqwest::Client {
    // Building fails only without a TLS backend, and then plain HTTP still works with the default client.
    reqwest::Client::builder()
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap_or_default()
}

/// Sends a request and reads its JSON answer; no body is null, anything but 2xx an error that shows the answer.
pub async fn answer(method: &str, url: &str, request: RequestBuilder) -> Result<Value> {
    let unreachable = |source| DevError::Unreachable {
        method: method.to_owned(),
        url: url.to_owned(),
        source,
    };
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let body = response.text().await.map_err(unreachable)?;
    if !status.is_success() {
        return Err(DevError::Refused {
            method: method.to_owned(),
            url: url.to_owned(),
            status: status.as_u16(),
            body,
        });
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&body).map_err(|err| {
        DevError::Unexpected(format!(
            "{method} {url} answered {status} with something that is no JSON: {err}"
        ))
    })
}

/// A text that an answer is documented to have.
pub fn text(answer: &Value, pointer: &str) -> Result<String> {
    match answer.pointer(pointer).and_then(Value::as_str) {
        Some(text) => Ok(text.to_owned()),
        None => Err(DevError::Unexpected(format!(
            "no text at {pointer} in {answer}"
        ))),
    }
}

/// A list that an answer is documented to have.
pub fn list<'a>(answer: &'a Value, pointer: &str) -> Result<&'a [Value]> {
    match answer.pointer(pointer).and_then(Value::as_array) {
        Some(list) => Ok(list),
        None => Err(DevError::Unexpected(format!(
            "no list at {pointer} in {answer}"
        ))),
    }
}
