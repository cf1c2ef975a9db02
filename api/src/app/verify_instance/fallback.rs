//! Whether the installer role may look at the fallback function's permissions and take ours away again.
//!
//! Letting the instance in is not tried: no request for that is harmless. The installation tells when it is refused.

use crate::aws::{Aws, AwsError, FunctionPermissions, InstanceAccess, InvokePermission};
use crate::domain::pace::Urgency;

use super::check::{Check, Subject, permission};

/// No function has a statement of this id.
const NOBODY: &str = "ringfence-permission-check";
const ROLE: Subject = Subject::InstallerRole;

/// The function that denies calls which the limiter says nothing of.
#[derive(Debug, Clone)]
pub struct Fallback {
    pub function_arn: String,
    /// The installation needs it; otherwise it need not even exist.
    pub wanted: bool,
}

pub(super) async fn check_fallback(
    aws: &Aws,
    installer: &InstanceAccess,
    fallback: &Fallback,
    urgency: Urgency,
    checks: &mut Vec<Check>,
) -> Result<(), AwsError> {
    let function = aws
        .fallback_permissions(std::slice::from_ref(installer), urgency)
        .await?;
    let arn = &fallback.function_arn;
    let nobodys = InvokePermission {
        function_arn: arn.clone(),
        statement_id: NOBODY.to_owned(),
        instance_arn: installer.instance_arn.to_string(),
        account_id: installer.instance_arn.account_id().to_owned(),
    };
    let answers = [
        (
            "lambda:GetPolicy",
            function.is_granted(&nobodys).await.map(drop),
        ),
        (
            "lambda:RemovePermission",
            function.revoke(arn, NOBODY).await,
        ),
    ];
    for (action, answer) in answers {
        checks.push(match answer {
            answer if fallback.wanted => permission(action, ROLE, answer)?,
            Err(err) if err.is_retryable() => {
                Check::skipped(action, ROLE, "AWS Lambda did not answer")
            }
            answer => permission(action, ROLE, answer)?.only_warns(),
        });
    }
    Ok(())
}
