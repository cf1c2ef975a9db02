//! The front door: one endpoint, told apart as AWS does by the service in the signature's credential scope.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{any, post};
use serde_json::{Value, json};

use crate::aws::{AwsError, AwsRequest, AwsResponse};
use crate::world::World;
use crate::{connect, lambda, stage};

const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// The whole interface of the simulator.
pub fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/_sim/accounts", post(create_account))
        .route("/_sim/quotas", post(set_quotas))
        .merge(stage::router())
        .fallback(any(aws))
        .with_state(world)
}

async fn create_account(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Response {
    let Some(account_id) = body.get("account_id").and_then(Value::as_str) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let (access_key_id, secret_access_key) = world.iam.create_account(account_id, &world.ids);
    Json(json!({"access_key_id": access_key_id, "secret_access_key": secret_access_key}))
        .into_response()
}

async fn set_quotas() -> Json<Value> {
    Json(json!({}))
}

async fn aws(State(world): State<Arc<World>>, request: Request) -> Response {
    match receive(&world, request).await {
        Ok(request) => match serve(&world, &request).await {
            Ok(response) => render(response.status, response.headers, Body::from(response.body)),
            Err(error) => refuse(&request.service, error),
        },
        Err(error) => refuse("", error),
    }
}

/// Finds out who asks for what. The signature itself is not checked yet, only its key.
async fn receive(world: &World, request: Request) -> Result<AwsRequest, AwsError> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY_BYTES)
        .await
        .map_err(|error| AwsError::new(413, "RequestTooLargeException", error.to_string()))?;
    let missing = || {
        AwsError::new(
            403,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        )
    };
    let authorization = parts
        .headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .ok_or_else(missing)?;
    let scope = authorization
        .split_once("Credential=")
        .and_then(|(_, rest)| rest.split(',').next())
        .ok_or_else(missing)?;
    let [key_id, _, region, service, _] = scope.split('/').collect::<Vec<_>>()[..] else {
        return Err(missing());
    };
    let unknown = || {
        AwsError::new(
            403,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )
    };
    let caller = world
        .iam
        .lock()
        .keys
        .get(key_id)
        .map(|key| key.caller.clone())
        .ok_or_else(unknown)?;
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let operation = match service {
        "connect" => connect::operation(&method, &path),
        "lambda" => lambda::operation(&method, &path),
        _ => None,
    };
    Ok(AwsRequest {
        service: service.to_owned(),
        operation: operation.unwrap_or_default().to_owned(),
        region: region.to_owned(),
        caller,
        method,
        path,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    })
}

async fn serve(world: &Arc<World>, request: &AwsRequest) -> Result<AwsResponse, AwsError> {
    match request.service.as_str() {
        "connect" => connect::handle(world, request).await,
        "lambda" => lambda::handle(world, request).await,
        other => Err(AwsError::new(
            404,
            "UnknownOperationException",
            format!("The simulator has no service {other}"),
        )),
    }
}

fn refuse(service: &str, error: AwsError) -> Response {
    let body = Body::from(error.rest_body(service).to_string());
    let mut headers = error.headers;
    headers.push(("x-amzn-errortype".to_owned(), error.code));
    headers.push(("content-type".to_owned(), "application/json".to_owned()));
    render(error.status, headers, body)
}

fn render(status: u16, headers: Vec<(String, String)>, body: Body) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response
        .body(body)
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}
