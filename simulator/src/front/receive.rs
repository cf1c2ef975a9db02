//! Finds out who asks for what: the signature, its key, the operation.

use axum::body::to_bytes;
use axum::extract::Request;
use http::request::Parts;

use crate::aws::{AwsError, AwsRequest, Caller};
use crate::sigv4::{Authorization, Refusal, Signed};
use crate::world::World;
use crate::{connect, dynamodb, lambda, sts};

const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// A request that was refused before anybody looked at what it wants; what is known of it.
#[derive(Debug)]
pub struct Rejected {
    /// Empty when the signature does not say it.
    pub service: String,
    pub region: String,
    pub operation: String,
    pub method: String,
    pub path: String,
    pub error: AwsError,
}

/// The request of a known signer.
pub async fn receive(world: &World, request: Request) -> Result<AwsRequest, Box<Rejected>> {
    let (parts, body) = request.into_parts();
    let rejected = |error: AwsError| {
        Box::new(Rejected {
            service: String::new(),
            region: String::new(),
            operation: String::new(),
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            error,
        })
    };
    let authorization =
        Authorization::of(&parts.headers).map_err(|refusal| rejected(refused("", refusal)))?;
    let signed = |rejected: Box<Rejected>, operation: &str| {
        Box::new(Rejected {
            service: authorization.service.clone(),
            region: authorization.region.clone(),
            operation: operation.to_owned(),
            ..*rejected
        })
    };
    let body = to_bytes(body, MAX_BODY_BYTES).await.map_err(|error| {
        let error = AwsError::new(413, "RequestTooLargeException", error.to_string());
        signed(rejected(error), "")
    })?;
    let operation = operation(&authorization.service, &parts, &body);
    let caller = caller(world, &authorization, &parts, &body)
        .map_err(|error| signed(rejected(error), &operation))?;
    Ok(AwsRequest {
        operation,
        service: authorization.service,
        region: authorization.region,
        caller,
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    })
}

/// Empty for what the service does not have.
fn operation(service: &str, parts: &Parts, body: &[u8]) -> String {
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let operation = match service {
        "connect" => connect::operation(method, path),
        "lambda" => lambda::operation(method, path),
        "sts" => sts::operation(body),
        "dynamodb" => parts
            .headers
            .get("x-amz-target")
            .and_then(|target| target.to_str().ok())
            .and_then(dynamodb::operation),
        _ => None,
    };
    operation.unwrap_or_default().to_owned()
}

/// The holder of the key that the request was signed with.
fn caller(
    world: &World,
    authorization: &Authorization,
    parts: &Parts,
    body: &[u8],
) -> Result<Caller, AwsError> {
    let service = authorization.service.as_str();
    let now = world.clock.now();
    let unknown = || {
        error(
            service,
            Why::UnknownKey,
            "The security token included in the request is invalid.",
        )
    };
    let key = world
        .iam
        .key(&authorization.access_key_id)
        .ok_or_else(unknown)?;
    let token = parts
        .headers
        .get("x-amz-security-token")
        .and_then(|token| token.to_str().ok());
    if token != key.session_token.as_deref() {
        return Err(unknown());
    }
    let signed = Signed {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body,
    };
    authorization
        .verify(&key.secret, signed, now)
        .map_err(|refusal| refused(service, refusal))?;
    if key.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(error(
            service,
            Why::Expired,
            "The security token included in the request is expired",
        ));
    }
    Ok(key.caller)
}

enum Why {
    Missing,
    Malformed,
    UnknownKey,
    BadSignature,
    Expired,
}

fn refused(service: &str, refusal: Refusal) -> AwsError {
    let why = match refusal {
        Refusal::Missing => Why::Missing,
        Refusal::Malformed => Why::Malformed,
        Refusal::Skewed | Refusal::Mismatch => Why::BadSignature,
    };
    error(service, why, &refusal.to_string())
}

/// The query protocol has other names for these than the JSON protocols.
fn error(service: &str, why: Why, message: &str) -> AwsError {
    let code = match (why, service) {
        (Why::Missing, "sts") => "MissingAuthenticationToken",
        (Why::Missing, _) => "MissingAuthenticationTokenException",
        (Why::Malformed, "sts") => "IncompleteSignature",
        (Why::Malformed, _) => "IncompleteSignatureException",
        (Why::UnknownKey, "sts") => "InvalidClientTokenId",
        (Why::UnknownKey, _) => "UnrecognizedClientException",
        (Why::BadSignature, "sts") => "SignatureDoesNotMatch",
        (Why::BadSignature, _) => "InvalidSignatureException",
        (Why::Expired, "sts") => "ExpiredToken",
        (Why::Expired, _) => "ExpiredTokenException",
    };
    AwsError::new(403, code, message)
}
