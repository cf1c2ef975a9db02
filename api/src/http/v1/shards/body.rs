//! Shards and moves as the API shows them.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::store::{Shard, ShardMove};

/// One limiter function, and how full it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Shard)]
pub(super) struct ShardBody {
    #[schema(example = "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-1")]
    pub function_arn: String,
    #[schema(example = "us-east-1")]
    pub region: String,
    #[schema(example = 40)]
    pub capacity: i64,
    /// Instances whose calls it decides, those on their way here included.
    #[schema(example = 12)]
    pub instances: i64,
    pub arriving: i64,
    /// Instances on their way to another function. They take a place here until then.
    pub leaving: i64,
    /// Places that nobody has.
    pub free: i64,
    pub state: ShardState,
}

/// `in_service`, `draining`: it is being emptied, or `out_of_service`: the settings name it no longer. Only the first
/// takes instances.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ShardState {
    InService,
    Draining,
    OutOfService,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShardList {
    pub data: Vec<ShardBody>,
}

/// An instance on its way from one limiter function to another.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ShardMove)]
pub(super) struct ShardMoveBody {
    #[schema(example = "ten_01890a5d000070008000000000000000")]
    pub tenant_id: String,
    #[schema(example = "ins_01890a5d000070008000000000000000")]
    pub instance_id: String,
    #[schema(example = "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-1")]
    pub from: String,
    #[schema(example = "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-2")]
    pub to: String,
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Since when no flow calls the former function any more; it lets the instance in for five minutes more. Null: some
    /// still do.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub repointed_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShardMoveList {
    pub data: Vec<ShardMoveBody>,
}

impl From<Shard> for ShardBody {
    fn from(shard: Shard) -> Self {
        let state = match (shard.in_service, shard.draining) {
            (false, _) => ShardState::OutOfService,
            (true, true) => ShardState::Draining,
            (true, false) => ShardState::InService,
        };
        Self {
            free: shard.free().max(0),
            state,
            function_arn: shard.function_arn,
            region: shard.region,
            capacity: shard.capacity,
            instances: shard.instances,
            arriving: shard.arriving,
            leaving: shard.leaving,
        }
    }
}

impl From<ShardMove> for ShardMoveBody {
    fn from(moving: ShardMove) -> Self {
        Self {
            tenant_id: moving.tenant.to_string(),
            instance_id: moving.instance.to_string(),
            from: moving.leaving.function_arn,
            to: moving.to,
            since: moving.leaving.since,
            repointed_at: moving.leaving.repointed_at,
        }
    }
}

/// What the audit log keeps of where an instance's calls go.
pub(super) fn audited(function_arn: &str) -> Value {
    json!({ "function_arn": function_arn })
}
