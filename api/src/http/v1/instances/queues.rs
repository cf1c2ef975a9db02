//! The queues of an instance as they are right now.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::instance_queues::{LiveQueue, QueuePlace, instance_queues};
use crate::auth::View;
use crate::aws::InstanceAccess;
use crate::domain::ids::InstanceId;
use crate::domain::pace::Urgency;
use crate::http::caller::Caller;
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::http::query::{Query, cursor};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Queue)]
pub(super) struct QueueBody {
    #[schema(example = "7d1c4a55-2200-4265-82c0-0123456789ab")]
    queue_id: String,
    #[schema(
        example = "arn:aws:connect:us-east-1:111122223333:instance/5f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b/queue/7d1c4a55-2200-4265-82c0-0123456789ab"
    )]
    queue_arn: String,
    #[schema(example = "Sales")]
    name: String,
    /// Null: Connect's "Default outbound" flow runs.
    #[schema(example = "c8c0e68d-2200-4265-82c0-0123456789ab")]
    whisper_flow_id: Option<String>,
    #[schema(example = "Our own whisper")]
    whisper_flow_name: Option<String>,
    #[schema(example = "b1a2b3c4-2200-4265-82c0-0123456789ab")]
    caller_id_number_id: Option<String>,
    /// Calls from this queue are limited.
    #[schema(example = true)]
    covered: bool,
}

impl From<LiveQueue> for QueueBody {
    fn from(queue: LiveQueue) -> Self {
        Self {
            queue_id: queue.queue_id,
            queue_arn: queue.queue_arn,
            name: queue.name,
            whisper_flow_id: queue.whisper_flow_id,
            whisper_flow_name: queue.whisper_flow_name,
            caller_id_number_id: queue.caller_id_number_id,
            covered: queue.covered,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QueueList {
    data: Vec<QueueBody>,
    #[schema(example = "eyJuYW1lIjoiU2FsZXMiLCJpZCI6IjdkMWM0YTU1In0")]
    next_cursor: Option<String>,
}

/// Read within the time that a request may take, also while others read of the same account.
const PAGE_MAX: i64 = 50;

/// List the queues, read from Connect
///
/// In the order of their names. Paced, about a queue a second: a page of 50 takes most of a minute.
#[utoipa::path(
    get, path = "/v1/instances/{id}/queues", operation_id = "instances_queues_list", tag = "instances",
    security(("bearer" = [View::NAME])),
    extensions(("x-errors" = json!(["instance_not_verified", "aws_unavailable"]))),
    params(("id" = String, Path), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = QueueList))
)]
pub(in crate::http) async fn list(
    caller: Caller<View>,
    Id(id): Id<InstanceId>,
    mut query: Query,
) -> ApiResult<Json<QueueList>> {
    let limit = query.limit_up_to(PAGE_MAX)?;
    let after: Option<QueuePlace> = query.cursor(|text| serde_json::from_str(text).ok())?;
    query.finish()?;
    let (access, ours) = load(&caller, id).await?;
    let app = &caller.app;
    let connect = app.aws.connect_instance(&access, Urgency::Asked).await?;
    let limit = usize::try_from(limit).unwrap_or_default();
    let page = instance_queues(&connect, &ours, after.as_ref(), limit).await?;
    Ok(Json(QueueList {
        data: page.queues.into_iter().map(QueueBody::from).collect(),
        next_cursor: page
            .more_after
            .map(|place| cursor(&serde_json::json!(place).to_string())),
    }))
}

/// What is needed to ask, and the whispers that are ours. The transaction ends before anybody is asked.
async fn load(
    caller: &Caller<View>,
    id: InstanceId,
) -> ApiResult<(Vec<InstanceAccess>, Vec<String>)> {
    let mut tx = caller.begin().await?;
    let view = tx
        .instance_view_get(id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    if view.instance.verified_at.is_none() {
        return Err(ApiError::new(
            Code::InstanceNotVerified,
            "verify the instance first",
        ));
    }
    let flows = tx.installed_flow_list(id).await?;
    tx.commit().await?;
    let access = InstanceAccess::ways(
        &view.instance.arn,
        std::slice::from_ref(&view.connection.installer_role_arn),
        &view.connection.external_ids(),
    );
    let ours = flows
        .into_iter()
        .filter(|flow| flow.key.starts_with("whisper"))
        .map(|flow| flow.flow_id)
        .collect();
    Ok((access, ours))
}
