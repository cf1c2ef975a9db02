//! Errors as callers see them: RFC 9457, one closed list of codes, each with a page under `docs/errors`.
//!
//! `detail` is for the caller and never holds secrets or numbers; `cause` is for the operator, is logged once at the
//! border, and never leaves.

use std::error::Error;
use std::fmt::Write as _;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ringfence_policy::Fault;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::jwt::JwtError;
use crate::auth::{AuthError, Refused};
use crate::aws::AwsError;
use crate::store::{Constraint, StoreError};

macro_rules! codes {
    ($($name:ident $code:literal $status:ident $title:literal;)+) => {
        /// What can go wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($name),+ }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }

            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }
        }
    };
}

codes! {
    MalformedRequest "malformed_request" BAD_REQUEST "The request cannot be read";
    MalformedJson "malformed_json" BAD_REQUEST "The body is not JSON";
    Unauthenticated "unauthenticated" UNAUTHORIZED "Nobody was recognised";
    Forbidden "forbidden" FORBIDDEN "The role does not allow it";
    CrossSite "cross_site" FORBIDDEN "The request comes from elsewhere";
    NotFound "not_found" NOT_FOUND "There is no such thing, or it is not yours to see";
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "The address does not take this method";
    Conflict "conflict" CONFLICT "The present state does not allow it";
    LastOwner "last_owner" CONFLICT "The tenant would be left without an owner";
    MemberAlready "member_already" CONFLICT "The person is a member already";
    IssuerRegistered "issuer_registered" CONFLICT "The issuer is accepted already";
    InstanceRegistered "instance_registered" CONFLICT "The instance is registered already";
    InstanceClaimed "instance_claimed" CONFLICT "The instance belongs to another tenant";
    InstanceNotVerified "instance_not_verified" CONFLICT "The instance is not verified yet";
    InstallationExists "installation_exists" CONFLICT "Something is installed";
    InstallationNotBlocked "installation_not_blocked" CONFLICT "Nothing keeps the installation from being removed";
    QuotaExceeded "quota_exceeded" CONFLICT "A quota is used up";
    TenantSuspended "tenant_suspended" FORBIDDEN "The tenant is suspended";
    TenantDeleted "tenant_deleted" CONFLICT "The tenant is deleted";
    NumberListed "number_listed" CONFLICT "The number is listed already";
    StaleVersion "stale_version" PRECONDITION_FAILED "Somebody else was faster";
    UriTooLong "uri_too_long" URI_TOO_LONG "The address is too long";
    HeadersTooLarge "headers_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE "The headers are too large";
    PayloadTooLarge "payload_too_large" PAYLOAD_TOO_LARGE "The body is too large";
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The body is of another type";
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY "The Idempotency-Key belongs to another request";
    ValidationFailed "validation_failed" UNPROCESSABLE_ENTITY "Some fields are wrong";
    VerificationFailed "verification_failed" UNPROCESSABLE_ENTITY "Not all checks passed";
    RateLimited "rate_limited" TOO_MANY_REQUESTS "Too many requests";
    Internal "internal" INTERNAL_SERVER_ERROR "Something went wrong on our side";
    AwsUnavailable "aws_unavailable" BAD_GATEWAY "AWS did not answer as it should";
    ServiceUnavailable "service_unavailable" SERVICE_UNAVAILABLE "Ringfence cannot answer at the moment";
    Timeout "timeout" GATEWAY_TIMEOUT "The request took too long";
}

const EXAMPLE_REQUEST: &str = "req_01890a5d000070008000000000000000";

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldFault {
    /// JSON pointer (RFC 6901) into the body.
    #[schema(example = "/rules/0/limit/block_at")]
    pub pointer: String,
    /// `missing`, `unknown_field`, `wrong_type`, `out_of_range`, `invalid`, `duplicate` or `not_supported`; of a check, what
    /// it found.
    #[schema(example = "out_of_range")]
    pub code: String,
    #[schema(example = "must be from 2 to 256")]
    pub detail: String,
}

impl FieldFault {
    pub fn new(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code: code.to_owned(),
            detail: detail.into(),
        }
    }
}

impl From<Fault> for FieldFault {
    fn from(fault: Fault) -> Self {
        Self::new(fault.pointer, fault.code, fault.detail)
    }
}

/// A request that failed. It has no `Display`, so that what is meant for the operator cannot slip out.
#[derive(Debug, Clone)]
pub struct ApiError {
    code: Code,
    detail: String,
    errors: Vec<FieldFault>,
    cause: Option<String>,
    retry_after_seconds: Option<u32>,
}

pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            cause: None,
            retry_after_seconds: None,
        }
    }

    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "nothing of yours has this address")
    }

    #[must_use]
    pub fn validation(errors: Vec<FieldFault>) -> Self {
        let detail = match errors.len() {
            1 => "one field is wrong".to_owned(),
            count => format!("{count} fields are wrong"),
        };
        Self {
            errors,
            ..Self::new(Code::ValidationFailed, detail)
        }
    }

    #[must_use]
    pub fn verification(errors: Vec<FieldFault>) -> Self {
        let detail = match errors.len() {
            1 => "one check failed".to_owned(),
            count => format!("{count} checks failed"),
        };
        Self {
            errors,
            ..Self::new(Code::VerificationFailed, detail)
        }
    }

    /// One field that is wrong.
    pub fn field(pointer: &str, code: &str, detail: impl Into<String>) -> Self {
        Self::validation(vec![FieldFault::new(pointer, code, detail)])
    }

    /// The same, of a document that stood at this place of the body.
    #[must_use]
    pub fn within(mut self, pointer: &str) -> Self {
        for fault in &mut self.errors {
            fault.pointer.insert_str(0, pointer);
        }
        self
    }

    pub fn internal(cause: impl Into<String>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(
                Code::Internal,
                "the operator finds the reason in the log, by the request's id",
            )
        }
    }

    #[must_use]
    pub fn rate_limited(retry_after_seconds: u32) -> Self {
        Self {
            retry_after_seconds: Some(retry_after_seconds),
            ..Self::new(
                Code::RateLimited,
                "slow down; the headers RateLimit and Retry-After say when there is more",
            )
        }
    }

    /// When it may be tried again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    pub(super) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    pub(super) fn into_problem(self, request_id: String) -> Problem {
        Problem {
            kind: format!("/docs/errors/{}", self.code.as_str()),
            title: self.code.title().to_owned(),
            status: self.code.status().as_u16(),
            detail: self.detail,
            code: self.code.as_str().to_owned(),
            request_id,
            errors: self.errors,
        }
    }
}

/// The body of every answer that is an error.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A page that explains it, relative to this server.
    #[serde(rename = "type")]
    #[schema(example = "/docs/errors/not_found")]
    pub kind: String,
    #[schema(example = "There is no such thing, or it is not yours to see")]
    pub title: String,
    #[schema(example = 404)]
    pub status: u16,
    #[schema(example = "nothing of yours has this address")]
    pub detail: String,
    #[schema(example = "not_found")]
    pub code: String,
    /// To be told when asking for help.
    #[schema(example = "req_01890a5d000070008000000000000000")]
    pub request_id: String,
    /// Every field that is wrong, or every check that failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldFault>,
}

impl Problem {
    /// One of this code, for the API's description.
    pub(super) fn example(code: Code) -> Self {
        let errors = match code {
            Code::ValidationFailed => vec![FieldFault::new("/name", "missing", "is required")],
            Code::VerificationFailed => vec![FieldFault::new(
                "/installer_role_arn",
                "connect:DescribeQueue",
                "the installer role may not do this",
            )],
            _ => Vec::new(),
        };
        Self {
            errors,
            ..ApiError::new(code, code.title()).into_problem(EXAMPLE_REQUEST.to_owned())
        }
    }
}

impl IntoResponse for ApiError {
    /// Without a body: the border writes it, since only the border knows the request's id.
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        let headers = response.headers_mut();
        match self.code {
            Code::Unauthenticated => set(headers, header::WWW_AUTHENTICATE, "Bearer"),
            Code::ServiceUnavailable => set(headers, header::RETRY_AFTER, "5"),
            _ => {}
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}

fn set(headers: &mut axum::http::HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

fn chain(err: &dyn Error) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(err) = source {
        let _ = write!(text, ": {err}");
        source = err.source();
    }
    text
}

impl From<StoreError> for ApiError {
    fn from(err: StoreError) -> Self {
        match &err {
            StoreError::Constraint(Constraint::InstanceRegisteredOnce) => Self::new(
                Code::InstanceRegistered,
                "this instance is among yours already",
            ),
            StoreError::Constraint(Constraint::InstanceClaimed) => Self::new(
                Code::InstanceClaimed,
                "another tenant has proved this instance to be its own",
            ),
            StoreError::Constraint(Constraint::PolicyExists) => Self::new(
                Code::StaleVersion,
                "another request has just stored a version of this policy",
            ),
            StoreError::Constraint(Constraint::NumberListed) => Self::new(
                Code::NumberListed,
                "the number is among the exemptions or the blocks",
            ),
            StoreError::Constraint(
                Constraint::InstanceGone | Constraint::TenantGone | Constraint::WebhookGone,
            ) => Self::not_found(),
            StoreError::Unavailable(_) => Self {
                cause: Some(chain(&err)),
                ..Self::new(
                    Code::ServiceUnavailable,
                    "the database is not reachable; try again in a moment",
                )
            },
            StoreError::TooSlow(_) => Self {
                cause: Some(chain(&err)),
                ..Self::new(
                    Code::Timeout,
                    "the database did not answer in time, and did nothing",
                )
            },
            StoreError::Guard(_)
            | StoreError::Database(_)
            | StoreError::Corrupt { .. }
            | StoreError::Migrate(_) => Self::internal(chain(&err)),
        }
    }
}

impl From<AuthError> for ApiError {
    fn from(err: AuthError) -> Self {
        match err {
            AuthError::Store(err) => err.into(),
            AuthError::UnknownTenant => Self::not_found(),
            AuthError::Jwt(JwtError::KeysUnavailable) => {
                Self::new(Code::ServiceUnavailable, err.to_string())
            }
            AuthError::UnknownKey
            | AuthError::UnknownSession
            | AuthError::UnknownIssuer
            | AuthError::Jwt(_) => Self::new(Code::Unauthenticated, err.to_string()),
        }
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::Unknown(err) => return err.into(),
            Refused::Suspended => Code::TenantSuspended,
            Refused::Deleted => Code::TenantDeleted,
            Refused::LessRole { .. } => Code::Forbidden,
        };
        Self::new(code, refused.to_string())
    }
}

/// The service's own words go to the tenant: the account that was asked is the tenant's.
impl From<AwsError> for ApiError {
    fn from(err: AwsError) -> Self {
        Self::new(Code::AwsUnavailable, err.to_string())
    }
}
