//! What differs between two versions of a policy.

use axum::Json;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::versions::found;
use crate::app::policy_diff::{PolicyChange, SentenceChange, changes, sentences};
use crate::auth::View;
use crate::domain::ids::InstanceId;
use crate::http::caller::Caller;
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Query;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyDiff {
    #[schema(example = 2)]
    from: i64,
    #[schema(example = 3)]
    to: i64,
    /// Rules are compared by their ids: one that only moved is no change.
    changes: Vec<PolicyChangeBody>,
    sentences: Vec<SentenceChangeBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyChange)]
pub(super) struct PolicyChangeBody {
    /// The rule; null for what is the policy's own.
    #[schema(example = "customer-per-day")]
    rule_id: Option<String>,
    /// JSON pointer into the rule or the policy; empty where all of a rule came or went.
    #[schema(example = "/mode")]
    pointer: String,
    /// Null: not there.
    #[schema(value_type = Option<Value>)]
    before: Option<Value>,
    /// Null: not there any more.
    #[schema(value_type = Option<Value>)]
    after: Option<Value>,
}

/// A rule in words, before and after.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SentenceChange)]
pub(super) struct SentenceChangeBody {
    #[schema(example = "customer-per-day")]
    rule_id: String,
    #[schema(example = "At most 3 calls to a customer in any 24 hours")]
    before: Option<String>,
    #[schema(example = "At most 4 calls to a customer in any 24 hours")]
    after: Option<String>,
}

impl From<PolicyChange> for PolicyChangeBody {
    fn from(change: PolicyChange) -> Self {
        Self {
            rule_id: change.rule_id,
            pointer: change.pointer,
            before: change.before,
            after: change.after,
        }
    }
}

impl From<SentenceChange> for SentenceChangeBody {
    fn from(change: SentenceChange) -> Self {
        Self {
            rule_id: change.rule_id,
            before: change.before,
            after: change.after,
        }
    }
}

/// What differs between two versions of the default policy
#[utoipa::path(
    get, path = "/v1/policies/default/diff", operation_id = "policies_default_diff", tag = "policies",
    security(("bearer" = [View::NAME])),
    params(
        ("from" = Option<i64>, Query, description = "The older version; the one before `to` if not given", example = 2),
        ("to" = Option<i64>, Query, description = "The newer version; the newest if not given", example = 3),
    ),
    responses((status = 200, body = PolicyDiff))
)]
pub(in crate::http) async fn default(
    caller: Caller<View>,
    query: Query,
) -> ApiResult<Json<PolicyDiff>> {
    diff(&caller, None, query).await
}

/// What differs between two versions of an instance's own policy
#[utoipa::path(
    get, path = "/v1/instances/{id}/policy/diff", operation_id = "policies_own_diff", tag = "policies",
    security(("bearer" = [View::NAME])),
    params(
        ("id" = String, Path, description = "The instance"),
        ("from" = Option<i64>, Query, description = "The older version; the one before `to` if not given", example = 2),
        ("to" = Option<i64>, Query, description = "The newer version; the newest if not given", example = 3),
    ),
    responses((status = 200, body = PolicyDiff))
)]
pub(in crate::http) async fn own(
    caller: Caller<View>,
    Id(id): Id<InstanceId>,
    query: Query,
) -> ApiResult<Json<PolicyDiff>> {
    diff(&caller, Some(id), query).await
}

async fn diff(
    caller: &Caller<View>,
    instance: Option<InstanceId>,
    mut query: Query,
) -> ApiResult<Json<PolicyDiff>> {
    let version = |text: &str| text.parse::<i64>().ok().filter(|version| *version >= 1);
    let from = query.parsed("from", version, "a version's number")?;
    let to = query.parsed("to", version, "a version's number")?;
    query.finish()?;
    let mut tx = caller.begin().await?;
    let to = match to {
        Some(version) => found(&mut tx, instance, version).await?,
        None => {
            let newest = tx.policy_version_list(instance, None, 1).await?.pop();
            newest.ok_or_else(ApiError::not_found)?
        }
    };
    let from_version = from.unwrap_or(to.version.saturating_sub(1));
    let (before, from) = match from {
        // Before the first version there were no rules.
        None if from_version == 0 => (ringfence_policy::Policy::default(), 0),
        _ => (
            found(&mut tx, instance, from_version).await?.policy,
            from_version,
        ),
    };
    Ok(Json(PolicyDiff {
        from,
        to: to.version,
        changes: changes(&before, &to.policy)
            .into_iter()
            .map(Into::into)
            .collect(),
        sentences: sentences(&before, &to.policy)
            .into_iter()
            .map(Into::into)
            .collect(),
    }))
}
