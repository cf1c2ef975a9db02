//! Lambda's REST interface: Invoke, resource policies, the description of a function.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::environment::Outcome;
use super::function::Function;
use super::resource_policy::{Grant, Refusal};
use super::{InvokeError, invoke};
use crate::aws::{AwsError, AwsRequest, AwsResponse};
use crate::connect::decode_path;
use crate::world::World;

const BASE: &str = "/2015-03-31/functions/";
const MAX_SYNCHRONOUS_BYTES: usize = 6 * 1024 * 1024;
const MAX_ASYNCHRONOUS_BYTES: usize = 1024 * 1024;
const ASYNCHRONOUS_ATTEMPTS: u32 = 3;

/// The operation that a method and a path mean.
pub fn operation(method: &str, path: &str) -> Option<&'static str> {
    let segments: Vec<&str> = path.strip_prefix(BASE)?.trim_end_matches('/').split('/').collect();
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
struct Target {
    function: Arc<Function>,
    qualifier: Option<String>,
    arn: String,
}

/// Performs one request.
pub async fn handle(world: &Arc<World>, request: &AwsRequest) -> Result<AwsResponse, AwsError> {
    let unknown = || AwsError::new(404, "ResourceNotFoundException", "There is no such operation.");
    let operation = operation(&request.method, &request.path).ok_or_else(unknown)?;
    let target = target(world, request, operation)?;
    match operation {
        "Invoke" => run(world, request, &target).await,
        "AddPermission" => add_permission(world, request, &target),
        "RemovePermission" => remove_permission(world, request, &target),
        "GetPolicy" => get_policy(&target),
        "GetFunctionConfiguration" => Ok(AwsResponse::json(200, &configuration(&target))),
        _ => Ok(AwsResponse::json(200, &json!({"Configuration": configuration(&target), "Code": {"RepositoryType": "S3"}, "Tags": {}}))),
    }
}

fn target(world: &Arc<World>, request: &AwsRequest, operation: &str) -> Result<Target, AwsError> {
    let label = request.path.strip_prefix(BASE).and_then(|rest| rest.split('/').next()).map(decode_path).unwrap_or_default();
    let name = Name::parse(&label).ok_or_else(|| invalid("FunctionName: a name, a partial or a whole ARN"))?;
    let account = name.account.as_deref().unwrap_or(&request.caller.account_id);
    let region = name.region.as_deref().unwrap_or(&request.region);
    let qualifier = query(request, "Qualifier").or(name.qualifier);
    let base = format!("arn:aws:lambda:{region}:{account}:function:{}", name.name);
    let arn = qualifier.as_ref().map_or_else(|| base.clone(), |qualifier| format!("{base}:{qualifier}"));
    world.authorize(&request.caller, &format!("lambda:{operation}"), &[arn.as_str()], &std::iter::empty().collect())?;
    if account != request.caller.account_id {
        return Err(AwsError::new(403, "AccessDeniedException", format!("No resource policy allows lambda:{operation} on {arn}")));
    }
    let missing = || AwsError::new(404, "ResourceNotFoundException", format!("Function not found: {arn}"));
    let function = world.lambda.find(account, region, &name.name).ok_or_else(missing)?;
    let arn = function.qualified_arn(qualifier.as_deref()).ok_or_else(missing)?;
    Ok(Target { function, qualifier, arn })
}

async fn run(world: &Arc<World>, request: &AwsRequest, target: &Target) -> Result<AwsResponse, AwsError> {
    let asynchronous = match request.header("x-amz-invocation-type") {
        None | Some("RequestResponse") => false,
        Some("Event") => true,
        Some("DryRun") => return Ok(AwsResponse::empty(204)),
        Some(_) => return Err(invalid("InvocationType: RequestResponse, Event or DryRun")),
    };
    let max = if asynchronous { MAX_ASYNCHRONOUS_BYTES } else { MAX_SYNCHRONOUS_BYTES };
    if request.body.len() > max {
        return Err(AwsError::new(413, "RequestTooLargeException", format!("Request must be smaller than {max} bytes")));
    }
    let payload = if request.body.is_empty() { Bytes::from_static(b"{}") } else { request.body.clone() };
    if let Err(error) = serde_json::from_slice::<Value>(&payload) {
        return Err(AwsError::new(400, "InvalidRequestContentException", format!("Could not parse request body into json: {error}")));
    }
    if asynchronous {
        let (world, function, qualifier) = (Arc::clone(world), Arc::clone(&target.function), target.qualifier.clone());
        tokio::spawn(async move {
            for _ in 0..ASYNCHRONOUS_ATTEMPTS {
                if matches!(invoke(&world, &function, qualifier.as_deref(), payload.clone()).await, Ok(Outcome::Answered(_))) {
                    break;
                }
            }
        });
        return Ok(AwsResponse::empty(202));
    }
    let outcome = invoke(world, &target.function, target.qualifier.as_deref(), payload).await.map_err(|error| match error {
        InvokeError::Throttled => AwsError::new(429, "TooManyRequestsException", "Rate Exceeded.")
            .with_extra("Reason", json!("ReservedFunctionConcurrentInvocationLimitExceeded"))
            .with_header("retry-after", "1"),
        InvokeError::Fault(message) => AwsError::new(500, "ServiceException", message),
    })?;
    let version = target.qualifier.as_deref().unwrap_or("$LATEST").to_owned();
    let response = |body: Bytes| AwsResponse::new(200, "application/json", body).with_header("x-amz-executed-version", &version);
    Ok(match outcome {
        Outcome::Answered(body) => response(body),
        Outcome::Errored(body) => response(body).with_header("x-amz-function-error", "Unhandled"),
        Outcome::Failed(failure) => {
            response(Bytes::from(failure.payload().to_string())).with_header("x-amz-function-error", "Unhandled")
        }
    })
}

fn add_permission(world: &Arc<World>, request: &AwsRequest, target: &Target) -> Result<AwsResponse, AwsError> {
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| invalid("The request body is not JSON."))?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let required = |name: &str| text(name).ok_or_else(|| invalid(&format!("{name} must not be null")));
    let grant = Grant {
        statement_id: required("StatementId")?,
        action: required("Action")?,
        principal: required("Principal")?,
        source_arn: text("SourceArn"),
        source_account: text("SourceAccount"),
        organisation: text("PrincipalOrgID"),
    };
    if !(1..=100).contains(&grant.statement_id.len()) || !grant.statement_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
        return Err(invalid("StatementId: 1 to 100 of [a-zA-Z0-9-_]"));
    }
    if !grant.action.starts_with("lambda:") {
        return Err(invalid("Action: lambda:[*], lambda:[a-zA-Z]+ or [*]"));
    }
    if grant.source_account.is_some_and(|account| account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(invalid("SourceAccount: 12 digits"));
    }
    if grant.source_arn.is_some_and(|arn| !arn.starts_with("arn:")) {
        return Err(invalid("SourceArn: an ARN"));
    }
    if target.qualifier.as_deref() == Some("$LATEST") {
        return Err(invalid("We currently do not support adding policies for $LATEST."));
    }
    let mut policies = target.function.policies();
    let policy = policies.entry(target.qualifier.clone()).or_default();
    check_revision(&policy.revision_id, text("RevisionId"))?;
    let statement = policy.add(&grant, &target.arn).map_err(|refusal| match refusal {
        Refusal::Exists(_) => AwsError::new(409, "ResourceConflictException", refusal.to_string()),
        Refusal::TooLong(_) => AwsError::new(400, "PolicyLengthExceededException", refusal.to_string()),
    })?;
    policy.revision_id = world.ids.uuid().to_string();
    Ok(AwsResponse::json(201, &json!({"Statement": statement.to_string()})))
}

fn remove_permission(world: &Arc<World>, request: &AwsRequest, target: &Target) -> Result<AwsResponse, AwsError> {
    let statement_id = request.path.trim_end_matches('/').rsplit('/').next().map(decode_path).unwrap_or_default();
    let mut policies = target.function.policies();
    let missing = || AwsError::new(404, "ResourceNotFoundException", format!("Statement {statement_id} is not found in resource policy."));
    let policy = policies.get_mut(&target.qualifier).ok_or_else(missing)?;
    check_revision(&policy.revision_id, query(request, "RevisionId").as_deref())?;
    if !policy.remove(&statement_id) {
        return Err(missing());
    }
    policy.revision_id = world.ids.uuid().to_string();
    Ok(AwsResponse::empty(204))
}

fn get_policy(target: &Target) -> Result<AwsResponse, AwsError> {
    let policies = target.function.policies();
    let policy = policies.get(&target.qualifier).filter(|policy| !policy.is_empty());
    let policy = policy.ok_or_else(|| AwsError::new(404, "ResourceNotFoundException", "The resource you requested does not exist."))?;
    Ok(AwsResponse::json(200, &json!({"Policy": policy.text(), "RevisionId": policy.revision_id})))
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

fn check_revision(current: &str, given: Option<&str>) -> Result<(), AwsError> {
    match given {
        Some(given) if given != current => Err(AwsError::new(
            412,
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id",
        )),
        _ => Ok(()),
    }
}

fn invalid(message: &str) -> AwsError {
    AwsError::new(400, "InvalidParameterValueException", message)
}

fn query(request: &AwsRequest, name: &str) -> Option<String> {
    url::form_urlencoded::parse(request.query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A function's name as the path gives it: a name, `account:function:name`, or a whole ARN, each with a qualifier.
#[derive(Debug, PartialEq, Eq)]
struct Name {
    region: Option<String>,
    account: Option<String>,
    name: String,
    qualifier: Option<String>,
}

impl Name {
    fn parse(label: &str) -> Option<Self> {
        let parts: Vec<&str> = label.split(':').collect();
        let (region, account, rest) = match parts.as_slice() {
            ["arn", _, "lambda", region, account, "function", rest @ ..] => (Some(*region), Some(*account), rest),
            [account, "function", rest @ ..] => (None, Some(*account), rest),
            rest => (None, None, rest),
        };
        let (name, qualifier) = match rest {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some(*qualifier)),
            _ => return None,
        };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        (!name.is_empty()).then(|| Self { region: owned(region), account: owned(account), name: name.to_owned(), qualifier: owned(qualifier) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_in_three_ways() {
        let name = |label: &str| Name::parse(label).map(|name| (name.region, name.account, name.name, name.qualifier));
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(name("limiter"), Some((None, None, "limiter".to_owned(), None)));
        assert_eq!(name("limiter:s01"), Some((None, None, "limiter".to_owned(), text("s01"))));
        assert_eq!(name("999988887777:function:limiter"), Some((None, text("999988887777"), "limiter".to_owned(), None)));
        assert_eq!(
            name("arn:aws:lambda:us-east-1:999988887777:function:limiter:s01"),
            Some((text("us-east-1"), text("999988887777"), "limiter".to_owned(), text("s01")))
        );
        assert_eq!(name("a:b:c"), None);
        assert_eq!(name(""), None);
    }

    #[test]
    fn operations_follow_from_method_and_path() {
        assert_eq!(operation("POST", "/2015-03-31/functions/f/invocations"), Some("Invoke"));
        assert_eq!(operation("DELETE", "/2015-03-31/functions/f/policy/s"), Some("RemovePermission"));
        assert_eq!(operation("GET", "/2015-03-31/functions/f"), Some("GetFunction"));
        assert_eq!(operation("GET", "/2015-03-31/functions/f/invocations"), None);
    }
}
