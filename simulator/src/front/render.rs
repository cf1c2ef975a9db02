//! Answers as each service's protocol has them.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::aws::{AwsError, AwsResponse};

pub fn response(answer: AwsResponse) -> Response {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response
        .body(Body::from(answer.body))
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// The REST protocols name the error in a header.
pub fn error(service: &str, error: &AwsError) -> AwsResponse {
    let mut answer = AwsResponse::json(error.status, &error.rest_body(service))
        .with_header("x-amzn-errortype", &error.code);
    answer.headers.extend(error.headers.iter().cloned());
    answer
}
