//! What the limiter never sees of an instance.

use std::collections::BTreeSet;

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::coverage::{
    Coverage, DialledBy, DialledQueue, Installed, WayRound, coverage, ways_round,
};
use crate::auth::View;
use crate::aws::InstanceAccess;
use crate::domain::ids::InstanceId;
use crate::domain::pace::Urgency;
use crate::http::caller::Caller;
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult, Code};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DialledBy)]
pub(super) struct DialledByBody {
    #[schema(example = "3f0c1d2e-2200-4265-82c0-0123456789ab")]
    routing_profile_id: String,
    #[schema(example = "Evening team")]
    routing_profile_name: String,
    /// The queue that this profile's agents dial from unless they choose another.
    #[schema(example = true)]
    default_outbound: bool,
}

/// A queue that agents can dial from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DialledQueue)]
pub(super) struct DialledQueueBody {
    #[schema(example = "7d1c4a55-2200-4265-82c0-0123456789ab")]
    queue_id: String,
    #[schema(example = "Sales")]
    name: String,
    /// It runs our whisper.
    #[schema(example = false)]
    covered: bool,
    /// What a queue that is not covered runs; null: Connect's "Default outbound", or it is covered.
    #[schema(example = "c8c0e68d-2200-4265-82c0-0123456789ab")]
    whisper_flow_id: Option<String>,
    dialled_by: Vec<DialledByBody>,
    /// Why it is not covered.
    #[schema(example = "the installation does not name this queue")]
    reason: Option<String>,
    /// What to do about it.
    #[schema(
        example = "Add it to the installation's queues, choose all of them, or take it out of the routing profiles."
    )]
    fix: Option<String>,
}

/// A permission that the installer role lacks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MissingPermission {
    #[schema(example = "connect:ListRoutingProfiles")]
    permission: String,
    #[schema(
        example = "Add connect:ListRoutingProfiles to the installer role's policy, as the template has it."
    )]
    fix: String,
}

/// Calls that no queue's whisper sees or stops.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WayRound)]
pub(super) struct WayRoundBody {
    #[schema(example = "external_transfers")]
    kind: String,
    /// What happens.
    #[schema(
        example = "Transfers and conferences to outside numbers, by an agent or by a quick connect, run no flow at all; they are neither counted nor stopped."
    )]
    detail: String,
    /// What to do where that matters.
    #[schema(
        example = "Give queues no quick connects to outside numbers that limits are about, and tell agents to dial such numbers."
    )]
    fix: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Coverage)]
pub(super) struct CoverageBody {
    /// Every queue that agents can dial from runs our whisper, as far as could be seen: all of them, unless permissions
    /// are missing.
    #[schema(example = false)]
    complete: bool,
    /// The queues that agents can dial from, those that are not covered first.
    queues: Vec<DialledQueueBody>,
    /// Without these the queues could not all be found.
    missing_permissions: Vec<MissingPermission>,
    ways_round: Vec<WayRoundBody>,
}

/// Find the calls that are not limited
///
/// Which queues agents can dial from (each routing profile's default outbound queue and its other queues) without
/// running our whisper, and the ways of calling that no whisper sees. Routing profiles are read from Connect, paced, two
/// requests each; that a queue runs our whisper is known as of the last look of the reconciler.
#[utoipa::path(
    get, path = "/v1/instances/{id}/coverage", operation_id = "instances_coverage_get", tag = "instances",
    security(("bearer" = [View::NAME])),
    extensions(("x-errors" = json!(["instance_not_verified", "aws_unavailable"]))),
    params(("id" = String, Path)), responses((status = 200, body = CoverageBody))
)]
pub(in crate::http) async fn get(
    caller: Caller<View>,
    Id(id): Id<InstanceId>,
) -> ApiResult<Json<CoverageBody>> {
    let (access, installed) = load(&caller, id).await?;
    let app = &caller.app;
    let connect = app
        .aws
        .connect_instance(&access, Urgency::Asked, caller.now())
        .await?;
    let found = coverage(&connect, &installed).await?;
    let ways_round = ways_round(installed.request.as_ref());
    Ok(Json(body(found, ways_round)))
}

/// What is needed to ask, and what is known. The transaction ends before anybody is asked.
async fn load(
    caller: &Caller<View>,
    id: InstanceId,
) -> ApiResult<(Vec<InstanceAccess>, Installed)> {
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
    let installation = tx.installation_get(id).await?;
    let queues = tx.installation_queue_list(id).await?;
    let flows = tx.installed_flow_list(id).await?;
    tx.commit().await?;
    let access = InstanceAccess::ways(
        &view.instance.arn,
        std::slice::from_ref(&view.connection.installer_role_arn),
        &view.connection.external_ids(),
    );
    let whispers: BTreeSet<String> = flows
        .into_iter()
        .filter(|flow| flow.key.starts_with("whisper"))
        .map(|flow| flow.flow_id)
        .collect();
    let installed = Installed {
        request: installation.and_then(|installation| installation.request),
        queues: queues
            .into_iter()
            .map(|queue| (queue.queue_id.clone(), queue))
            .collect(),
        whispers,
    };
    Ok((access, installed))
}

fn body(found: Coverage, ways_round: Vec<WayRound>) -> CoverageBody {
    CoverageBody {
        complete: found.is_complete(),
        queues: found.queues.into_iter().map(queue_body).collect(),
        missing_permissions: found
            .missing_permissions
            .into_iter()
            .map(|permission| MissingPermission {
                fix: format!(
                    "Add {permission} to the installer role's policy, as the template has it."
                ),
                permission: permission.to_owned(),
            })
            .collect(),
        ways_round: ways_round
            .into_iter()
            .map(|way| WayRoundBody {
                kind: way.kind.to_owned(),
                detail: way.detail,
                fix: way.fix.to_owned(),
            })
            .collect(),
    }
}

fn queue_body(queue: DialledQueue) -> DialledQueueBody {
    let (reason, fix) = queue
        .gap
        .map(|gap| (gap.reason, gap.fix.to_owned()))
        .unzip();
    DialledQueueBody {
        queue_id: queue.queue_id,
        name: queue.name,
        covered: queue.covered,
        whisper_flow_id: queue.whisper_flow_id,
        dialled_by: queue.dialled_by.into_iter().map(dialled_by_body).collect(),
        reason,
        fix,
    }
}

fn dialled_by_body(by: DialledBy) -> DialledByBody {
    DialledByBody {
        routing_profile_id: by.profile_id,
        routing_profile_name: by.profile_name,
        default_outbound: by.is_default,
    }
}
