//! Who may invoke a limiter function: one statement per instance, never an open principal.

use std::future::Future;

use aws_sdk_lambda::Client;
use serde_json::Value;

use super::error::{AwsError, AwsErrorKind};

const PRINCIPAL: &str = "connect.amazonaws.com";

/// The permission for one instance to invoke one limiter function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvokePermission {
    pub function_arn: String,
    /// Derived from the instance, so that adding twice is noticed and harmless.
    pub statement_id: String,
    pub instance_arn: String,
    pub account_id: String,
}

impl InvokePermission {
    /// The same for another function.
    #[must_use]
    pub fn to_invoke(&self, function_arn: &str) -> Self {
        Self {
            function_arn: function_arn.to_owned(),
            ..self.clone()
        }
    }
}

/// The resource policies of functions of one account and region: of the limiter's, or of a customer's fallback.
pub trait FunctionPermissions: Send + Sync {
    fn is_granted(
        &self,
        permission: &InvokePermission,
    ) -> impl Future<Output = Result<bool, AwsError>> + Send;
    /// Adding what is there already is success.
    fn grant(
        &self,
        permission: &InvokePermission,
    ) -> impl Future<Output = Result<(), AwsError>> + Send;
    /// Removing what is gone already is success.
    fn revoke(
        &self,
        function_arn: &str,
        statement_id: &str,
    ) -> impl Future<Output = Result<(), AwsError>> + Send;
}

/// [`FunctionPermissions`] through the SDK.
#[derive(Debug, Clone)]
pub struct SdkFunctionPermissions {
    client: Client,
}

impl SdkFunctionPermissions {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }
}

impl FunctionPermissions for SdkFunctionPermissions {
    async fn is_granted(&self, permission: &InvokePermission) -> Result<bool, AwsError> {
        let answer = self
            .client
            .get_policy()
            .function_name(&permission.function_arn)
            .send()
            .await
            .map_err(|err| AwsError::from_sdk("lambda:GetPolicy", &err));
        match answer {
            Ok(output) => Ok(output
                .policy()
                .is_some_and(|policy| grants(policy, permission))),
            Err(err) if err.kind == AwsErrorKind::NotFound => Ok(false),
            Err(err) => Err(err),
        }
    }

    async fn grant(&self, permission: &InvokePermission) -> Result<(), AwsError> {
        let answer = self
            .client
            .add_permission()
            .function_name(&permission.function_arn)
            .statement_id(&permission.statement_id)
            .action("lambda:InvokeFunction")
            .principal(PRINCIPAL)
            .source_account(&permission.account_id)
            .source_arn(&permission.instance_arn)
            .send()
            .await
            .map_err(|err| AwsError::from_sdk("lambda:AddPermission", &err));
        match answer {
            Err(err) if err.kind != AwsErrorKind::Duplicate => Err(err),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn revoke(&self, function_arn: &str, statement_id: &str) -> Result<(), AwsError> {
        let answer = self
            .client
            .remove_permission()
            .function_name(function_arn)
            .statement_id(statement_id)
            .send()
            .await
            .map_err(|err| AwsError::from_sdk("lambda:RemovePermission", &err));
        match answer {
            Err(err) if err.kind != AwsErrorKind::NotFound => Err(err),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

fn grants(policy: &str, permission: &InvokePermission) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(policy) else {
        return false;
    };
    document
        .get("Statement")
        .and_then(Value::as_array)
        .is_some_and(|statements| {
            statements.iter().any(|statement| {
                statement.get("Sid").and_then(Value::as_str) == Some(&permission.statement_id)
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_statement_of_this_instance_counts_as_granted() {
        let permission = InvokePermission {
            function_arn: "arn:aws:lambda:us-east-1:999988887777:function:limiter".to_owned(),
            statement_id: "ins_1".to_owned(),
            instance_arn: "arn:aws:connect:us-east-1:111122223333:instance/i".to_owned(),
            account_id: "111122223333".to_owned(),
        };
        assert!(grants(
            r#"{"Statement":[{"Sid":"ins_0"},{"Sid":"ins_1"}]}"#,
            &permission
        ));
        assert!(!grants(r#"{"Statement":[{"Sid":"ins_10"}]}"#, &permission));
        assert!(!grants("no JSON", &permission));
    }
}
