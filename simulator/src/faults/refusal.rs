//! How each service words a refusal that was ordered.

use super::Kind;
use crate::aws::AwsError;
use crate::quotas::throttled;

pub(super) fn refusal(kind: Kind, service: &str, operation: &str) -> AwsError {
    match (kind, service) {
        (Kind::Throttle, _) => throttled(service, operation),
        (Kind::AccessDenied, "sts") => {
            AwsError::new(403, "AccessDenied", "Access denied by a fault on demand")
        }
        (Kind::AccessDenied, "dynamodb") => AwsError::new(
            400,
            "AccessDeniedException",
            "Access denied by a fault on demand",
        ),
        (Kind::AccessDenied, _) => AwsError::new(
            403,
            "AccessDeniedException",
            "Access denied by a fault on demand",
        ),
        (Kind::Unavailable, _) => AwsError::new(
            503,
            "ServiceUnavailable",
            "Service is unavailable by a fault on demand",
        ),
        (_, "connect") => AwsError::new(
            500,
            "InternalServiceException",
            "An error by a fault on demand",
        ),
        (_, "dynamodb") => {
            AwsError::new(500, "InternalServerError", "An error by a fault on demand")
        }
        (_, "lambda") => AwsError::new(500, "ServiceException", "An error by a fault on demand"),
        _ => AwsError::new(500, "InternalFailure", "An error by a fault on demand"),
    }
}
