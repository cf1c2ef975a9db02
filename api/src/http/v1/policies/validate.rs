//! Checking a policy without storing it.

use axum::Json;
use ringfence_policy::Policy;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::{Sentence, checked, sentences};
use super::document::PolicyDocument;
use crate::auth::View;
use crate::http::body::AnyJson;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ValidPolicy {
    /// Always true: a document with faults is answered with 422 and all of them.
    #[schema(example = true)]
    valid: bool,
    /// The document with every default filled in.
    #[schema(value_type = PolicyDocument)]
    policy: Policy,
    sentences: Vec<Sentence>,
}

/// Check a policy, storing nothing
#[utoipa::path(
    post, path = "/v1/policies/validate", operation_id = "policies_validate", tag = "policies",
    security(("bearer" = [View::NAME])),
    request_body = PolicyDocument, responses((status = 200, body = ValidPolicy))
)]
pub(in crate::http) async fn validate(
    _caller: Caller<View>,
    AnyJson(document): AnyJson,
) -> ApiResult<Json<ValidPolicy>> {
    let policy = checked(document)?;
    Ok(Json(ValidPolicy {
        valid: true,
        sentences: sentences(&policy),
        policy,
    }))
}
