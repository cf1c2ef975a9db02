//! Putting an older version in force again, as the next version.

use axum::http::StatusCode;
use utoipa::ToSchema;

use super::body::PolicyBody;
use super::next::{Next, put_next};
use super::versions::found;
use crate::auth::EditPolicies;
use crate::domain::ids::InstanceId;
use crate::domain::precondition::Precondition;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::fields::{Fields, FromFields};
use crate::http::once::OnceResult;
use crate::http::path::Id;
use crate::http::problem::ApiError;

#[derive(Debug, ToSchema)]
pub(super) struct RollBack {
    /// The version whose rules are to be in force again.
    #[schema(minimum = 1, example = 1)]
    version: i64,
}

impl FromFields for RollBack {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        if fields.is_missing("version") {
            return None;
        }
        let version = fields.optional_whole("version", 1..=i64::MAX)?;
        Some(Self { version })
    }
}

/// Put an older version of the default policy in force again
///
/// What it said becomes the next version: versions only ever count up, and none is lost.
#[utoipa::path(
    post, path = "/v1/policies/default/roll-back", operation_id = "policies_default_roll_back", tag = "policies",
    security(("bearer" = [EditPolicies::NAME])),
    params(("If-Match" = Option<String>, Header, description = "The ETag of the version that was seen")),
    request_body = RollBack,
    responses((status = 200, body = PolicyBody, headers(("ETag" = String, description = "The version"))))
)]
pub(in crate::http) async fn default(
    caller: Caller<EditPolicies>,
    expected: Precondition,
    Body(wanted): Body<RollBack>,
) -> OnceResult {
    roll_back(&caller, None, &expected, wanted.version).await
}

/// Put an older version of an instance's own policy in force again
///
/// What it said becomes the next version. An instance that goes by the tenant's default has its own policy again.
#[utoipa::path(
    post, path = "/v1/instances/{id}/policy/roll-back", operation_id = "policies_own_roll_back", tag = "policies",
    security(("bearer" = [EditPolicies::NAME])),
    params(
        ("id" = String, Path, description = "The instance"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that was seen"),
    ),
    request_body = RollBack,
    responses((status = 200, body = PolicyBody, headers(("ETag" = String, description = "The version"))))
)]
pub(in crate::http) async fn own(
    caller: Caller<EditPolicies>,
    Id(id): Id<InstanceId>,
    expected: Precondition,
    Body(wanted): Body<RollBack>,
) -> OnceResult {
    roll_back(&caller, Some(id), &expected, wanted.version).await
}

async fn roll_back(
    caller: &Caller<EditPolicies>,
    instance: Option<InstanceId>,
    expected: &Precondition,
    version: i64,
) -> OnceResult {
    let mut tx = caller.begin_once().await?;
    if let Some(id) = instance {
        tx.instance_get(id).await?.ok_or_else(ApiError::not_found)?;
    }
    let former = found(&mut tx, instance, version).await?;
    let next = Next {
        action: "policy.roll_back",
        instance,
        policy: &former.policy,
        expected,
    };
    let body = put_next(&mut tx, caller, next).await?;
    let answer = tx
        .answer_version(StatusCode::OK, body.version(), &body)
        .await?;
    caller.app.wake_ups.publications.wake();
    Ok(answer)
}
