//! GET and POST /v1/shard-moves

use axum::Json;
use axum::http::StatusCode;
use utoipa::ToSchema;

use super::body::{ShardMoveBody, ShardMoveList, audited};
use crate::domain::ids::InstanceId;
use crate::http::body::Body;
use crate::http::caller::{Operator, states};
use crate::http::fields::{Fields, FromFields};
use crate::http::once::OnceResult;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::store::MoveAsked;

const ARN_MAX: usize = 200;

#[derive(Debug, ToSchema)]
#[schema(as = NewShardMove)]
pub(super) struct NewShardMove {
    #[schema(value_type = String, example = "ins_01890a5d000070008000000000000000")]
    instance_id: InstanceId,
    /// A function of the instance's region; if not given, the fullest one that has room.
    #[schema(example = "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-2")]
    to: Option<String>,
}

impl FromFields for NewShardMove {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let instance_id = fields.parsed(
            "instance_id",
            |text| text.parse().ok(),
            "an instance's id (ins_…)",
        );
        let to = fields.optional_text("to", ARN_MAX);
        Some(Self {
            instance_id: instance_id?,
            to,
        })
    }
}

/// Instances on their way from one limiter function to another
#[utoipa::path(
    get, path = "/v1/shard-moves", operation_id = "shard_moves_list", tag = "shards",
    security(("bearer" = [Operator::NAME])),
    responses((status = 200, body = ShardMoveList))
)]
pub(in crate::http) async fn list(caller: Operator) -> ApiResult<Json<ShardMoveList>> {
    let mut tx = caller.begin().await?;
    let moves = tx.shard_move_list().await?;
    Ok(Json(ShardMoveList {
        data: moves.into_iter().map(Into::into).collect(),
    }))
}

/// Move an instance to another limiter function
///
/// The other function lets the instance in before the first flow calls it, and the former one goes on letting it in until
/// the calls that began before are over: no call is unlimited meanwhile. Both count in the same tables, so counts are kept.
#[utoipa::path(
    post, path = "/v1/shard-moves", operation_id = "shard_moves_begin", tag = "shards",
    security(("bearer" = [Operator::NAME])), extensions(("x-errors" = json!(["not_found", "conflict"]))),
    request_body = NewShardMove, responses((status = 202, body = ShardMoveBody))
)]
pub(in crate::http) async fn begin(caller: Operator, Body(new): Body<NewShardMove>) -> OnceResult {
    let mut tx = caller.begin_once().await?;
    let tenant = tx.instance_owner(new.instance_id).await?;
    let tenant = tenant.ok_or_else(ApiError::not_found)?;
    let asked = tx
        .shard_move(tenant, new.instance_id, new.to.as_deref(), caller.now())
        .await?;
    let begun = match asked {
        MoveAsked::Begun(begun) => begun,
        refused => return Err(conflict(&refused).into()),
    };
    let change = states(
        caller.change("shard.move", new.instance_id),
        Some(audited(&begun.leaving.function_arn)),
        Some(audited(&begun.to)),
    );
    tx.audit_append(Some(tenant), &change).await?;
    let answer = tx
        .answer(StatusCode::ACCEPTED, &ShardMoveBody::from(begun))
        .await?;
    caller.app.wake_ups.installations.wake();
    Ok(answer)
}

fn conflict(refused: &MoveAsked) -> ApiError {
    let detail = match refused {
        MoveAsked::NotInstalled => "nothing is installed at the instance, so nothing can move",
        MoveAsked::UnderWay => "the instance is on its way already; wait until that move is over",
        MoveAsked::There => "the instance is at that function already",
        MoveAsked::NotAvailable => {
            "the instance's region has no such function, or it takes no instances; GET /v1/shards lists them"
        }
        MoveAsked::NoRoom | MoveAsked::Begun(_) => {
            "no other function of the region has room; add one first"
        }
    };
    ApiError::new(Code::Conflict, detail)
}
