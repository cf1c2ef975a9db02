//! What went wrong with a request, as far as it matters: its code, and whether asking again can help.

use std::fmt;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Too many requests, or the service is at fault: the same request may pass a moment later.
    Transient,
    /// A quota on what there may be at one time is used up: the same request may pass, but hardly a moment later.
    Full,
    /// The credentials are no longer good.
    Credentials,
    /// What was asked for is gone: for a contact that is to be stopped, as good as done.
    Gone,
    /// The condition of a conditional write does not hold.
    Condition,
    /// Asking again gives the same answer.
    Permanent,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    pub(crate) operation: &'static str,
    pub(crate) code: String,
    pub(crate) class: Class,
}

impl Failure {
    pub(crate) fn new(operation: &'static str, code: &str, class: Class) -> Self {
        Self {
            operation,
            code: code.to_owned(),
            class,
        }
    }

    pub(crate) fn of<E: ProvideErrorMetadata>(
        operation: &'static str,
        err: &SdkError<E, HttpResponse>,
    ) -> Self {
        match err {
            SdkError::ServiceError(service) => {
                let code = service.err().code().unwrap_or("unknown");
                Self::new(
                    operation,
                    code,
                    class(code, service.raw().status().as_u16()),
                )
            }
            SdkError::TimeoutError(_) => Self::new(operation, "timeout", Class::Transient),
            SdkError::DispatchFailure(_) => Self::new(operation, "not_reached", Class::Transient),
            SdkError::ResponseError(_) => {
                Self::new(operation, "answer_unreadable", Class::Transient)
            }
            _ => Self::new(operation, "not_sent", Class::Permanent),
        }
    }

    /// Whether asking somebody else may help, as it does where one of several ways into an account is closed.
    pub(crate) fn is_denial(&self) -> bool {
        matches!(self.code.as_str(), "AccessDenied" | "AccessDeniedException")
    }
}

fn class(code: &str, status: u16) -> Class {
    match code {
        "TooManyRequestsException"
        | "ThrottlingException"
        | "Throttling"
        | "RequestLimitExceeded"
        | "ProvisionedThroughputExceededException" => Class::Transient,
        "ExpiredTokenException"
        | "ExpiredToken"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId" => Class::Credentials,
        "ServiceQuotaExceededException" | "LimitExceededException" => Class::Full,
        "ContactNotFoundException" => Class::Gone,
        "ConditionalCheckFailedException" => Class::Condition,
        _ => match status {
            410 => Class::Gone,
            429 | 500.. => Class::Transient,
            _ => Class::Permanent,
        },
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.code)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttling_is_recognised_by_any_of_its_names_and_by_status() {
        for (code, status) in [
            ("TooManyRequestsException", 400),
            ("ThrottlingException", 400),
            ("Odd", 429),
            ("Odd", 503),
        ] {
            assert_eq!(class(code, status), Class::Transient, "{code}");
        }
        assert_eq!(class("AccessDeniedException", 403), Class::Permanent);
        assert_eq!(class("ServiceQuotaExceededException", 402), Class::Full);
        assert_eq!(class("LimitExceededException", 429), Class::Full);
        assert_eq!(class("ContactNotFoundException", 410), Class::Gone);
        assert_eq!(class("Odd", 410), Class::Gone);
    }
}
