//! Answers as each service's protocol has them.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::json;

use crate::aws::{AwsError, AwsResponse};
use crate::sts;

pub fn response(answer: AwsResponse) -> Response {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response
        .body(Body::from(answer.body))
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// An error: XML in the query protocol, named in the body by DynamoDB, in a header by the REST protocols.
pub fn error(service: &str, error: &AwsError, request_id: &str) -> AwsResponse {
    let mut answer = match service {
        "sts" => sts::error_response(error, request_id),
        "dynamodb" => {
            let body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{}", error.code), "message": error.message});
            // Whatever the client did wrong, also what it may not do, is a 400 here.
            let status = if error.status < 500 {
                400
            } else {
                error.status
            };
            AwsResponse::new(
                status,
                "application/x-amz-json-1.0",
                Bytes::from(body.to_string()),
            )
        }
        _ => AwsResponse::json(error.status, &error.rest_body(service))
            .with_header("x-amzn-errortype", &error.code),
    };
    answer.headers.extend(error.headers().iter().cloned());
    answer
}
