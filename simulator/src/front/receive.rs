//! Finds out who asks for what.

use axum::body::to_bytes;
use axum::extract::Request;
use bytes::Bytes;
use http::request::Parts;

use crate::aws::{AwsError, AwsRequest, Caller};
use crate::world::World;
use crate::{connect, lambda};

const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// A signer, and where and what the signature is for.
struct Signed {
    caller: Caller,
    region: String,
    service: String,
}

/// The request of a known signer; an error names the service it was meant for.
pub async fn receive(world: &World, request: Request) -> Result<AwsRequest, (String, AwsError)> {
    let (parts, body) = request.into_parts();
    let service = scope(&parts)
        .map(|(_, _, service)| service.to_owned())
        .unwrap_or_default();
    let refuse = |error: AwsError| (service.clone(), error);
    let too_large =
        |error: axum::Error| AwsError::new(413, "RequestTooLargeException", error.to_string());
    let body = to_bytes(body, MAX_BODY_BYTES)
        .await
        .map_err(too_large)
        .map_err(refuse)?;
    let signed = identify(world, &parts).map_err(refuse)?;
    Ok(AwsRequest {
        operation: operation(&signed.service, &parts, &body),
        service: signed.service,
        region: signed.region,
        caller: signed.caller,
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    })
}

/// Empty for what the service does not have.
fn operation(service: &str, parts: &Parts, _body: &Bytes) -> String {
    let operation = match service {
        "connect" => connect::operation(parts.method.as_str(), parts.uri.path()),
        "lambda" => lambda::operation(parts.method.as_str(), parts.uri.path()),
        _ => None,
    };
    operation.unwrap_or_default().to_owned()
}

/// Access key, Region and service of the signature's scope.
fn scope(parts: &Parts) -> Option<(&str, &str, &str)> {
    let authorization = parts.headers.get("authorization")?.to_str().ok()?;
    let (_, rest) = authorization.split_once("Credential=")?;
    let mut scope = rest.split(',').next()?.split('/');
    let (key, _date, region, service) =
        (scope.next()?, scope.next()?, scope.next()?, scope.next()?);
    Some((key, region, service))
}

/// The signature itself is not checked yet, only that its key is known.
fn identify(world: &World, parts: &Parts) -> Result<Signed, AwsError> {
    let missing = || {
        AwsError::new(
            403,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        )
    };
    let (key, region, service) = scope(parts).ok_or_else(missing)?;
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
        .get(key)
        .map(|key| key.caller.clone())
        .ok_or_else(unknown)?;
    Ok(Signed {
        caller,
        region: region.to_owned(),
        service: service.to_owned(),
    })
}
