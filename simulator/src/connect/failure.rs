//! The errors of Amazon Connect, as its service model names them.

use serde_json::{Value, json};

use crate::aws::AwsError;

/// Why an operation failed.
#[derive(Debug)]
pub enum Failure {
    Named {
        status: u16,
        code: &'static str,
        message: String,
    },
    /// Content that cannot be published.
    InvalidFlow(Vec<String>),
    /// The caller may not do this.
    Refused(Box<AwsError>),
}

impl Failure {
    pub fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self::Named {
            status,
            code,
            message: message.to_owned(),
        }
    }

    pub fn invalid_request(message: &str) -> Self {
        Self::new(400, "InvalidRequestException", message)
    }

    pub fn invalid_parameter(message: &str) -> Self {
        Self::new(
            400,
            "InvalidParameterException",
            &format!("Parameter issue: {message}"),
        )
    }

    pub fn missing(member: &str) -> Self {
        Self::invalid_parameter(&format!("{member} must not be null"))
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(
            404,
            "ResourceNotFoundException",
            &format!("The resource was not found: {what}"),
        )
    }

    /// `InvalidContactFlowException` alone has no message; its problems are members in lower case.
    pub fn into_error(self) -> AwsError {
        match self {
            Self::Named {
                status,
                code,
                message,
            } => AwsError::new(status, code, message),
            Self::Refused(error) => *error,
            Self::InvalidFlow(problems) => {
                let problems: Vec<Value> = problems
                    .iter()
                    .map(|message| json!({"message": message}))
                    .collect();
                AwsError::new(400, "InvalidContactFlowException", "")
                    .with_body(json!({"problems": problems}))
            }
        }
    }
}
