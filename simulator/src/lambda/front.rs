//! Lambda's REST interface: which operation, on which function, and Invoke.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::environment::Outcome;
use super::function::Function;
use super::function_name::FunctionName;
use super::{invoke, permissions};
use crate::aws::{AwsError, AwsRequest, AwsResponse};
use crate::connect::decode_path;
use crate::iam::condition::Context;
use crate::world::World;

const BASE: &str = "/2015-03-31/functions/";
const MAX_SYNCHRONOUS_BYTES: usize = 6 * 1024 * 1024;
const MAX_ASYNCHRONOUS_BYTES: usize = 1024 * 1024;
const ASYNCHRONOUS_ATTEMPTS: u32 = 3;

/// The operation that a method and a path mean.
pub fn operation(method: &str, path: &str) -> Option<&'static str> {
    let segments: Vec<&str> = path
        .strip_prefix(BASE)?
        .trim_end_matches('/')
        .split('/')
        .collect();
    match (method, segments.as_slice()) {
        ("POST", [_, "invocations"]) => Some("Invoke"),
        ("POST", [_, "policy"]) => Some("AddPermission"),
        ("GET", [_, "policy"]) => Some("GetPolicy"),
        ("DELETE", [_, "policy", _]) => Some("RemovePermission"),
        ("GET", [_, "configuration"]) => Some("GetFunctionConfiguration"),
        ("GET", [_]) => Some("GetFunction"),
        _ => None,
    }
}

/// A request about one function that exists and that the caller may touch in this way.
#[derive(Debug)]
pub struct Target {
    pub function: Arc<Function>,
    pub qualifier: Option<String>,
    pub arn: String,
}

/// Performs one request.
pub async fn handle(world: &Arc<World>, request: &AwsRequest) -> Result<AwsResponse, AwsError> {
    let unknown = || {
        AwsError::new(
            404,
            "ResourceNotFoundException",
            "There is no such operation.",
        )
    };
    let operation = operation(&request.method, &request.path).ok_or_else(unknown)?;
    let target = target(world, request, operation)?;
    match operation {
        "Invoke" => run(world, request, &target).await,
        "AddPermission" => permissions::add_permission(world, request, &target),
        "RemovePermission" => permissions::remove_permission(world, request, &target),
        "GetPolicy" => permissions::get_policy(&target),
        "GetFunctionConfiguration" => Ok(AwsResponse::json(200, &configuration(&target))),
        _ => Ok(AwsResponse::json(
            200,
            &json!({"Configuration": configuration(&target), "Code": {"RepositoryType": "S3"}, "Tags": {}}),
        )),
    }
}

fn target(world: &Arc<World>, request: &AwsRequest, operation: &str) -> Result<Target, AwsError> {
    let label = request
        .path
        .strip_prefix(BASE)
        .and_then(|rest| rest.split('/').next())
        .map(decode_path)
        .unwrap_or_default();
    let name = FunctionName::parse(&label)
        .ok_or_else(|| invalid("FunctionName: a name, a partial or a whole ARN"))?;
    let account = name
        .account
        .as_deref()
        .unwrap_or(&request.caller.account_id);
    let region = name.region.as_deref().unwrap_or(&request.region);
    let qualifier = query(request, "Qualifier").or(name.qualifier);
    let base = format!("arn:aws:lambda:{region}:{account}:function:{}", name.name);
    let arn = qualifier
        .as_ref()
        .map_or_else(|| base.clone(), |qualifier| format!("{base}:{qualifier}"));
    world.authorize(
        &request.caller,
        &format!("lambda:{operation}"),
        &[arn.as_str()],
        &context(request, operation),
    )?;
    let missing = || {
        AwsError::new(
            404,
            "ResourceNotFoundException",
            format!("Function not found: {arn}"),
        )
    };
    let function = world
        .lambda
        .find(account, region, &name.name)
        .ok_or_else(missing)?;
    let arn = function
        .qualified_arn(qualifier.as_deref())
        .ok_or_else(missing)?;
    Ok(Target {
        function,
        qualifier,
        arn,
    })
}

/// What conditions may ask about a permission that is to be added.
fn context(request: &AwsRequest, operation: &str) -> Context {
    let body: Value = match operation {
        "AddPermission" => serde_json::from_slice(&request.body).unwrap_or_default(),
        _ => Value::Null,
    };
    let principal = body.get("Principal").and_then(Value::as_str);
    principal
        .map(|principal| ("lambda:Principal".to_owned(), vec![principal.to_owned()]))
        .into_iter()
        .collect()
}

async fn run(
    world: &Arc<World>,
    request: &AwsRequest,
    target: &Target,
) -> Result<AwsResponse, AwsError> {
    let asynchronous = match request.header("x-amz-invocation-type") {
        None | Some("RequestResponse") => false,
        Some("Event") => true,
        Some("DryRun") => return Ok(AwsResponse::empty(204)),
        Some(_) => return Err(invalid("InvocationType: RequestResponse, Event or DryRun")),
    };
    let max = if asynchronous {
        MAX_ASYNCHRONOUS_BYTES
    } else {
        MAX_SYNCHRONOUS_BYTES
    };
    if request.body.len() > max {
        return Err(AwsError::new(
            413,
            "RequestTooLargeException",
            format!("Request must be smaller than {max} bytes"),
        ));
    }
    let payload = if request.body.is_empty() {
        Bytes::from_static(b"{}")
    } else {
        request.body.clone()
    };
    if let Err(error) = serde_json::from_slice::<Value>(&payload) {
        return Err(AwsError::new(
            400,
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {error}"),
        ));
    }
    if asynchronous {
        let (world, function, qualifier) = (
            Arc::clone(world),
            Arc::clone(&target.function),
            target.qualifier.clone(),
        );
        tokio::spawn(async move {
            for _ in 0..ASYNCHRONOUS_ATTEMPTS {
                if matches!(
                    invoke(&world, &function, qualifier.as_deref(), payload.clone()).await,
                    Ok(Outcome::Answered(_))
                ) {
                    break;
                }
            }
        });
        return Ok(AwsResponse::empty(202));
    }
    let outcome = invoke(
        world,
        &target.function,
        target.qualifier.as_deref(),
        payload,
    )
    .await
    .map_err(|throttled| {
        AwsError::new(429, "TooManyRequestsException", throttled.to_string())
            .with_extra(
                "Reason",
                json!("ReservedFunctionConcurrentInvocationLimitExceeded"),
            )
            .with_header("retry-after", "1")
    })?;
    let version = target.qualifier.as_deref().unwrap_or("$LATEST").to_owned();
    let response = |body: Bytes| {
        AwsResponse::new(200, "application/json", body)
            .with_header("x-amz-executed-version", &version)
    };
    Ok(match outcome {
        Outcome::Answered(body) => response(body),
        Outcome::Errored(body) => response(body).with_header("x-amz-function-error", "Unhandled"),
        Outcome::Failed(failure) => response(Bytes::from(failure.payload().to_string()))
            .with_header("x-amz-function-error", "Unhandled"),
    })
}

fn configuration(target: &Target) -> Value {
    let settings = &target.function.settings;
    json!({
        "FunctionName": settings.name,
        "FunctionArn": target.arn,
        "Role": settings.role_arn,
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Timeout": settings.timeout.as_secs().max(1),
        "MemorySize": 256,
        "PackageType": "Zip",
        "Architectures": ["arm64"],
        "Version": "$LATEST",
        "State": "Active",
        "LastUpdateStatus": "Successful",
    })
}

pub fn invalid(message: &str) -> AwsError {
    AwsError::new(400, "InvalidParameterValueException", message)
}

pub fn query(request: &AwsRequest, name: &str) -> Option<String> {
    url::form_urlencoded::parse(request.query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_follow_from_method_and_path() {
        assert_eq!(
            operation("POST", "/2015-03-31/functions/f/invocations"),
            Some("Invoke")
        );
        assert_eq!(
            operation("DELETE", "/2015-03-31/functions/f/policy/s"),
            Some("RemovePermission")
        );
        assert_eq!(
            operation("GET", "/2015-03-31/functions/f"),
            Some("GetFunction")
        );
        assert_eq!(
            operation("GET", "/2015-03-31/functions/f/invocations"),
            None
        );
    }
}
