//! GET /v1/shards

use axum::Json;

use super::body::ShardList;
use crate::http::caller::Operator;
use crate::http::problem::ApiResult;

/// The limiter functions of every region, and how full they are
#[utoipa::path(
    get, path = "/v1/shards", operation_id = "shards_list", tag = "shards",
    security(("bearer" = [Operator::NAME])),
    responses((status = 200, body = ShardList))
)]
pub(in crate::http) async fn list(caller: Operator) -> ApiResult<Json<ShardList>> {
    let mut tx = caller.begin().await?;
    let shards = tx.shard_list().await?;
    Ok(Json(ShardList {
        data: shards.into_iter().map(Into::into).collect(),
    }))
}
