//! Bodies, queries and errors of the control API.

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Json, Response};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::json;

/// A JSON body; a faulty one is answered with the path of its first fault.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// An error of the control API.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
    field: String,
}

impl Refused {
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "invalid",
            message: message.into(),
            field: field.into(),
        }
    }

    pub fn not_found(field: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "not_found",
            message: format!("{field} names nothing that exists"),
            field: field.to_owned(),
        }
    }
}

/// Of a path that exists but is not asked that way.
pub async fn method_not_allowed() -> Refused {
    Refused {
        status: StatusCode::METHOD_NOT_ALLOWED,
        code: "method_not_allowed",
        message: "this path is not asked with this method".to_owned(),
        field: "method".to_owned(),
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body =
            json!({"error": {"code": self.code, "message": self.message, "field": self.field}});
        (self.status, Json(body)).into_response()
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| Refused::invalid("", error.to_string()))?;
        let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
        let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            Refused::invalid(
                faulty_member(&error.path().to_string(), &error.inner().to_string()),
                error.inner().to_string(),
            )
        })?;
        deserializer
            .end()
            .map_err(|error| Refused::invalid("", error.to_string()))?;
        Ok(Self(parsed))
    }
}

/// The path of what is wrong; of something missing, serde says in words alone what it is.
fn faulty_member(path: &str, message: &str) -> String {
    let parent = if path == "." { "" } else { path };
    let missing = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next());
    match missing {
        Some(name) if parent.is_empty() => name.to_owned(),
        Some(name) => format!("{parent}.{name}"),
        None => parent.to_owned(),
    }
}

/// What the query asks for; a faulty one is answered as a faulty body is.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let Query(asked) = Query::try_from_uri(&parts.uri)
            .map_err(|error| Refused::invalid("", error.body_text()))?;
        Ok(Self(asked))
    }
}
