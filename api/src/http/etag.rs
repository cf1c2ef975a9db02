//! Versions in headers: `ETag` on answers, `If-Match` on changes.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};

use super::problem::{ApiError, ApiResult, Code};
use super::state::AppState;

/// The version that the caller has seen; none where the header is absent or `*`.
#[derive(Debug, Clone, Copy)]
pub(super) struct IfMatch(pub Option<i64>);

impl FromRequestParts<AppState> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> ApiResult<Self> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else {
            return Ok(Self(None));
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let version = text
            .trim_start_matches("W/")
            .trim_matches('"')
            .parse()
            .map_err(|_| {
                ApiError::new(
                    Code::MalformedRequest,
                    "the header If-Match must hold the ETag of an answer",
                )
            })?;
        Ok(Self(Some(version)))
    }
}

impl IfMatch {
    pub fn check(self, current: i64) -> ApiResult<()> {
        match self.0 {
            Some(seen) if seen != current => Err(stale(current)),
            _ => Ok(()),
        }
    }
}

pub(super) fn stale(current: i64) -> ApiError {
    ApiError::new(
        Code::StaleVersion,
        format!("the present version is {current}"),
    )
}

/// The header that names a version.
pub(super) fn etag(version: i64) -> [(HeaderName, HeaderValue); 1] {
    let value = HeaderValue::from_str(&format!("\"{version}\""))
        .unwrap_or(HeaderValue::from_static("\"\""));
    [(header::ETAG, value)]
}
