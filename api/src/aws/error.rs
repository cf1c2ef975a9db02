//! What went wrong in a call to AWS, reduced to what decides the next move.

use std::error::Error;
use std::fmt;
use std::iter::successors;

use aws_sdk_connect::config::http::HttpResponse;
use aws_sdk_connect::error::{ProvideErrorMetadata, SdkError};

/// Longest piece of a service's own message that is kept.
const MESSAGE_MAX: usize = 300;

/// A failed call. `action` is the IAM action, known from our side, so that a missing permission can be named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action}: {kind}{}", self.separated_message())]
pub struct AwsError {
    pub action: &'static str,
    pub kind: AwsErrorKind,
    /// The service's own words, shortened; safe to show to the tenant.
    pub message: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AwsErrorKind {
    AccessDenied,
    Throttled,
    NotFound,
    /// A flow that exists as a draft only.
    NotPublished,
    Duplicate,
    /// The service refused the flow's content, for these reasons.
    InvalidFlow(Vec<String>),
    /// The request itself was refused.
    Invalid,
    /// A quota or size of the service is used up.
    LimitExceeded,
    /// A condition of the write did not hold.
    ConditionFailed,
    /// The position in the stream is no longer usable.
    StreamPositionLost,
    /// Network, timeout or the service's own failure: worth another try.
    Transient,
    /// Given up on our side before anything was asked: worth another try, and nothing was changed.
    NotSent,
}

impl AwsError {
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            AwsErrorKind::Throttled | AwsErrorKind::Transient | AwsErrorKind::NotSent
        )
    }

    #[must_use]
    pub fn is(&self, kind: &AwsErrorKind) -> bool {
        self.kind == *kind
    }

    /// The action that was denied, where the service names it: it may be another one than was asked for, as making a
    /// flow with tags takes two.
    #[must_use]
    pub fn refused_action(&self) -> &str {
        self.message
            .split_once("not authorized to perform: ")
            .and_then(|(_, rest)| rest.split_whitespace().next())
            .filter(|action| action.contains(':'))
            .unwrap_or(self.action)
    }

    fn separated_message(&self) -> String {
        if self.message.is_empty() {
            String::new()
        } else {
            format!(": {}", self.message)
        }
    }

    pub(super) fn from_sdk<E>(action: &'static str, err: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        if let Some(refused) = of_the_role(err) {
            return refused;
        }
        match err {
            SdkError::ServiceError(service) => {
                let code = service.err().code().unwrap_or_default();
                let status = service.raw().status().as_u16();
                Self {
                    action,
                    kind: kind_of(code, status),
                    message: shortened(service.err().message().unwrap_or(code)),
                }
            }
            SdkError::TimeoutError(_) => Self::transient(action, "no answer in time"),
            SdkError::DispatchFailure(_) => {
                Self::transient(action, "the service could not be reached")
            }
            SdkError::ResponseError(_) => Self::transient(action, "the answer could not be read"),
            _ => Self::transient(action, "the request could not be built"),
        }
    }

    pub(super) fn not_sent(action: &'static str, message: &str) -> Self {
        Self {
            kind: AwsErrorKind::NotSent,
            ..Self::transient(action, message)
        }
    }

    pub(super) fn transient(action: &'static str, message: &str) -> Self {
        Self {
            action,
            kind: AwsErrorKind::Transient,
            message: message.to_owned(),
        }
    }
}

impl fmt::Display for AwsErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessDenied => "access denied",
            Self::Throttled => "throttled",
            Self::NotFound => "not found",
            Self::NotPublished => "never published",
            Self::Duplicate => "already exists",
            Self::InvalidFlow(problems) => {
                return write!(f, "flow refused ({})", problems.join("; "));
            }
            Self::Invalid => "request refused",
            Self::LimitExceeded => "quota used up",
            Self::ConditionFailed => "condition not met",
            Self::StreamPositionLost => "stream position lost",
            Self::Transient => "failed for the moment",
            Self::NotSent => "not asked for the moment",
        })
    }
}

/// What STS said, where the request had no session to be signed with.
fn of_the_role(err: &(dyn Error + 'static)) -> Option<AwsError> {
    let mut causes = successors(err.source(), |&cause| cause.source());
    causes.find_map(|cause| cause.downcast_ref().cloned())
}

fn shortened(message: &str) -> String {
    if message.chars().count() <= MESSAGE_MAX {
        return message.to_owned();
    }
    let mut kept: String = message.chars().take(MESSAGE_MAX).collect();
    kept.push('…');
    kept
}

fn kind_of(code: &str, status: u16) -> AwsErrorKind {
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => {
            AwsErrorKind::AccessDenied
        }
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "ProvisionedThroughputExceededException" => AwsErrorKind::Throttled,
        "ResourceNotFoundException" => AwsErrorKind::NotFound,
        "ContactFlowNotPublishedException" => AwsErrorKind::NotPublished,
        "DuplicateResourceException" | "ResourceConflictException" => AwsErrorKind::Duplicate,
        "LimitExceededException"
        | "PolicyLengthExceededException"
        | "ServiceQuotaExceededException" => AwsErrorKind::LimitExceeded,
        "ConditionalCheckFailedException" => AwsErrorKind::ConditionFailed,
        "ExpiredIteratorException" | "TrimmedDataAccessException" => {
            AwsErrorKind::StreamPositionLost
        }
        "ExpiredTokenException" | "ExpiredToken" => AwsErrorKind::Transient,
        _ => match status {
            403 => AwsErrorKind::AccessDenied,
            404 => AwsErrorKind::NotFound,
            409 => AwsErrorKind::Duplicate,
            429 => AwsErrorKind::Throttled,
            400..=499 => AwsErrorKind::Invalid,
            _ => AwsErrorKind::Transient,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_throttling_and_passing_failures_are_worth_another_try() {
        let retryable = [
            ("ThrottlingException", 429),
            ("InternalServiceException", 500),
            ("", 503),
        ];
        for (code, status) in retryable {
            let err = AwsError {
                action: "connect:DescribeQueue",
                kind: kind_of(code, status),
                message: String::new(),
            };
            assert!(err.is_retryable(), "{code} {status}");
        }
        for (code, status) in [
            ("AccessDeniedException", 403),
            ("ResourceNotFoundException", 404),
            ("DuplicateResourceException", 409),
            ("InvalidParameterException", 400),
            ("LimitExceededException", 429),
        ] {
            let err = AwsError {
                action: "connect:DescribeQueue",
                kind: kind_of(code, status),
                message: String::new(),
            };
            assert!(!err.is_retryable(), "{code} {status}");
        }
    }

    #[test]
    fn a_missing_permission_is_named_in_the_text() {
        let err = AwsError {
            action: "connect:DescribeQueue",
            kind: kind_of("AccessDeniedException", 403),
            message: String::new(),
        };
        assert_eq!(err.to_string(), "connect:DescribeQueue: access denied");
    }
}
