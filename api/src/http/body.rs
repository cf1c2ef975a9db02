//! JSON bodies.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde_json::Value;

use super::fields::{Fields, FromFields};
use super::problem::{ApiError, ApiResult, Code};
use super::state::AppState;
use crate::strict_json::Strict;

/// A body that was read into what the handler works with; all that is wrong with it is told together.
#[derive(Debug)]
pub(super) struct Body<T>(pub T);

/// A body that is some JSON or other, and must be there: an empty document may mean a lot.
#[derive(Debug)]
pub(super) struct AnyJson(pub Value);

impl<T: FromFields> FromRequest<AppState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &AppState) -> ApiResult<Self> {
        // No body at all counts as an empty object.
        let value = read(request, app)
            .await?
            .unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        Fields::read(value).map(Self)
    }
}

impl FromRequest<AppState> for AnyJson {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &AppState) -> ApiResult<Self> {
        let missing = || ApiError::new(Code::MalformedJson, "send a document as the body");
        read(request, app).await?.ok_or_else(missing).map(Self)
    }
}

/// None where there is no body at all.
async fn read(request: Request, app: &AppState) -> ApiResult<Option<Value>> {
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(is_json);
    let bytes = Bytes::from_request(request, app).await.map_err(|err| {
        let code = match err.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Code::PayloadTooLarge,
            _ => Code::MalformedRequest,
        };
        ApiError::new(code, "the body could not be read to its end")
    })?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if !is_json {
        return Err(ApiError::new(
            Code::UnsupportedMediaType,
            "send the body as application/json",
        ));
    }
    match serde_json::from_slice(&bytes) {
        Ok(Strict(document)) => Ok(Some(document)),
        Err(err) => Err(ApiError::new(Code::MalformedJson, unreadable(&err))),
    }
}

fn unreadable(err: &serde_json::Error) -> String {
    let (line, column) = (err.line(), err.column());
    if err.is_data() {
        return format!("a member of an object is named twice, at line {line}, column {column}");
    }
    format!("no JSON from line {line}, column {column} on")
}

fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}
