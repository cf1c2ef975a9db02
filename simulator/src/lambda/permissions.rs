//! AddPermission, RemovePermission, GetPolicy.

use std::sync::Arc;

use serde_json::{Value, json};

use super::front::{Target, invalid, query};
use super::resource_policy::{Grant, Refusal};
use crate::aws::{AwsError, AwsRequest, AwsResponse};
use crate::connect::decode_path;
use crate::world::World;

pub fn add_permission(
    world: &Arc<World>,
    request: &AwsRequest,
    target: &Target,
) -> Result<AwsResponse, AwsError> {
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|_| invalid("The request body is not JSON."))?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let required =
        |name: &str| text(name).ok_or_else(|| invalid(&format!("{name} must not be null")));
    let grant = Grant {
        statement_id: required("StatementId")?,
        action: required("Action")?,
        principal: required("Principal")?,
        source_arn: text("SourceArn"),
        source_account: text("SourceAccount"),
        organisation: text("PrincipalOrgID"),
    };
    if !(1..=100).contains(&grant.statement_id.len())
        || !grant
            .statement_id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    {
        return Err(invalid("StatementId: 1 to 100 of [a-zA-Z0-9-_]"));
    }
    if !grant.action.starts_with("lambda:") {
        return Err(invalid("Action: lambda:[*], lambda:[a-zA-Z]+ or [*]"));
    }
    if grant.source_account.is_some_and(|account| {
        account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit())
    }) {
        return Err(invalid("SourceAccount: 12 digits"));
    }
    if grant.source_arn.is_some_and(|arn| !arn.starts_with("arn:")) {
        return Err(invalid("SourceArn: an ARN"));
    }
    if target.qualifier.as_deref() == Some("$LATEST") {
        return Err(invalid(
            "We currently do not support adding policies for $LATEST.",
        ));
    }
    let mut policies = target.function.policies();
    let policy = policies.entry(target.qualifier.clone()).or_default();
    check_revision(&policy.revision_id, text("RevisionId"))?;
    let statement = policy
        .add(&grant, &target.arn)
        .map_err(|refusal| match refusal {
            Refusal::Exists(_) => {
                AwsError::new(409, "ResourceConflictException", refusal.to_string())
            }
            Refusal::TooLong(_) => {
                AwsError::new(400, "PolicyLengthExceededException", refusal.to_string())
            }
        })?;
    policy.revision_id = world.ids.uuid().to_string();
    Ok(AwsResponse::json(
        201,
        &json!({"Statement": statement.to_string()}),
    ))
}

pub fn remove_permission(
    world: &Arc<World>,
    request: &AwsRequest,
    target: &Target,
) -> Result<AwsResponse, AwsError> {
    let statement_id = request
        .path
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .map(decode_path)
        .unwrap_or_default();
    let mut policies = target.function.policies();
    let missing = || {
        AwsError::new(
            404,
            "ResourceNotFoundException",
            format!("Statement {statement_id} is not found in resource policy."),
        )
    };
    let policy = policies.get_mut(&target.qualifier).ok_or_else(missing)?;
    check_revision(&policy.revision_id, query(request, "RevisionId").as_deref())?;
    if !policy.remove(&statement_id) {
        return Err(missing());
    }
    policy.revision_id = world.ids.uuid().to_string();
    Ok(AwsResponse::empty(204))
}

pub fn get_policy(target: &Target) -> Result<AwsResponse, AwsError> {
    let policies = target.function.policies();
    let policy = policies
        .get(&target.qualifier)
        .filter(|policy| !policy.is_empty());
    let policy = policy.ok_or_else(|| {
        AwsError::new(
            404,
            "ResourceNotFoundException",
            "The resource you requested does not exist.",
        )
    })?;
    Ok(AwsResponse::json(
        200,
        &json!({"Policy": policy.text(), "RevisionId": policy.revision_id}),
    ))
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
