//! Whether a role lets Ringfence in, and only with the external id.

use crate::aws::{Aws, AwsError, AwsErrorKind, InstanceAccess};

use super::check::{Check, Subject};

const WRONG_EXTERNAL_ID: &str = "not-the-external-id-of-this-connection";

/// Whether the role is fit to be used.
pub(super) async fn check_role(
    aws: &Aws,
    access: &InstanceAccess,
    subject: Subject,
    checks: &mut Vec<Check>,
) -> Result<bool, AwsError> {
    Ok(is_assumable(aws, access, subject, checks).await?
        && demands_external_id(aws, access, subject, checks).await?)
}

async fn is_assumable(
    aws: &Aws,
    access: &InstanceAccess,
    subject: Subject,
    checks: &mut Vec<Check>,
) -> Result<bool, AwsError> {
    let role = subject.role();
    let name = format!("{}_assumable", role.replace(' ', "_"));
    match aws.try_assume(access, Some(&access.external_id)).await {
        Ok(()) => {
            checks.push(Check::passed(
                &name,
                subject,
                "assumed with the external id",
            ));
            Ok(true)
        }
        Err(err) if err.is_retryable() => Err(err),
        Err(err) => {
            let detail = format!("the {role} {} could not be assumed: {err}", access.role_arn);
            let fix = "Deploy the template with the parameters of the onboarding, or give the ARN of the role it made.";
            checks.push(Check::failed(
                &name,
                subject,
                "role_not_assumable",
                detail,
                fix,
            ));
            Ok(false)
        }
    }
}

async fn demands_external_id(
    aws: &Aws,
    access: &InstanceAccess,
    subject: Subject,
    checks: &mut Vec<Check>,
) -> Result<bool, AwsError> {
    let role = subject.role();
    let name = format!("{}_external_id_enforced", role.replace(' ', "_"));
    for (wrong, words) in [
        (None, "without an external id"),
        (Some(WRONG_EXTERNAL_ID), "with a wrong external id"),
    ] {
        match aws.try_assume(access, wrong).await {
            Err(err) if err.kind == AwsErrorKind::AccessDenied => {}
            Err(err) => return Err(err),
            Ok(()) => {
                let detail = format!("the {role} {} can be assumed {words}", access.role_arn);
                let fix = "Add the condition StringEquals sts:ExternalId with the external id of the onboarding to the role's trust policy.";
                checks.push(Check::failed(
                    &name,
                    subject,
                    "external_id_not_enforced",
                    detail,
                    fix,
                ));
                return Ok(false);
            }
        }
    }
    checks.push(Check::passed(
        &name,
        subject,
        "refused without an external id and with a wrong one",
    ));
    Ok(true)
}
