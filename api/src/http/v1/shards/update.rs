//! PATCH /v1/shards/{id}

use axum::Json;
use ringfence_policy::draft::code;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::body::ShardBody;
use crate::http::body::Body;
use crate::http::caller::{Operator, states};
use crate::http::fields::{Fields, FromFields};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};

#[derive(Debug, ToSchema)]
pub(super) struct ShardChange {
    /// Whether it is to be emptied.
    draining: bool,
}

impl FromFields for ShardChange {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        const NAME: &str = "draining";
        match fields.take(NAME) {
            Some(Value::Bool(draining)) => return Some(Self { draining }),
            Some(_) => fields.fault(NAME, code::WRONG_TYPE, "must be true or false"),
            None => fields.fault(NAME, code::MISSING, "is required: true or false"),
        }
        None
    }
}

/// Drain a limiter function, or take it back into service
///
/// A draining function gets no new instances, and those that it has move to others of its region, each without a moment
/// unlimited, as soon as there is room. Taking it back stops no move that has begun.
#[utoipa::path(
    patch, path = "/v1/shards/{id}", operation_id = "shards_update", tag = "shards",
    security(("bearer" = [Operator::NAME])),
    params((
        "id" = String, Path, description = "The function's ARN", pattern = "^arn:",
        example = "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-1",
    )),
    request_body = ShardChange, responses((status = 200, body = ShardBody))
)]
pub(in crate::http) async fn update(
    caller: Operator,
    Id(function_arn): Id<String>,
    Body(wanted): Body<ShardChange>,
) -> ApiResult<Json<ShardBody>> {
    let mut tx = caller.begin().await?;
    let before = tx.shard_get(&function_arn).await?;
    let before = before.ok_or_else(ApiError::not_found)?;
    if before.draining != wanted.draining {
        tx.shard_drain(&function_arn, wanted.draining, caller.now())
            .await?;
        let change = states(
            caller.change("shard.drain", &function_arn),
            Some(json!({ "draining": before.draining })),
            Some(json!({ "draining": wanted.draining })),
        );
        tx.audit_append(None, &change).await?;
    }
    let after = tx.shard_get(&function_arn).await?;
    tx.commit().await?;
    caller.app.wake_ups.installations.wake();
    Ok(Json(after.unwrap_or(before).into()))
}
