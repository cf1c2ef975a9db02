//! What the limiter never sees of an instance.

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::coverage::{
    DialledBy, DialledQueue, Installed, WayRound, ahead, dialled_queues, ways_round,
};
use crate::auth::{EditInstallations, View};
use crate::domain::coverage::{DialProfile, DialQueue, Reading};
use crate::domain::ids::InstanceId;
use crate::http::caller::Caller;
use crate::http::once::OnceResult;
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::store::TenantTx;

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
    /// It runs our whisper, as we published it.
    #[schema(example = false)]
    covered: bool,
    /// What a queue that is not covered ran at `whisper_read_at`; null: Connect's "Default outbound", or there is no
    /// `whisper_read_at`.
    #[schema(example = "c8c0e68d-2200-4265-82c0-0123456789ab")]
    whisper_flow_id: Option<String>,
    /// When the whisper of a queue that is not covered was last read; null: nobody has yet, or it is covered.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-25T10:09:30Z")]
    whisper_read_at: Option<Timestamp>,
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

/// How far the reading of routing profiles has come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CoverageProgress)]
pub(super) struct ProgressBody {
    /// Routing profiles and queues that were read.
    #[schema(example = 180)]
    done: usize,
    /// All that are known to be read; profiles that name further queues add to it.
    #[schema(example = 500)]
    total: usize,
    /// How long the rest takes at the pace that the account is asked at, in seconds.
    #[schema(example = 640)]
    seconds_left: u64,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CoverageState)]
pub(super) enum StateWord {
    /// Never, and nobody is about to: nothing was ever installed and nobody asked for it, or it was given up.
    NotRead,
    /// Routing profiles are being read, or are about to be; what is told is as of the last reading, or what the first one
    /// has found so far.
    Reading,
    /// As of `computed_at`.
    Read,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Coverage)]
pub(super) struct CoverageBody {
    state: StateWord,
    /// When the last whole reading ended; null before the first has.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-25T10:11:12Z")]
    computed_at: Option<Timestamp>,
    /// Of the reading under way, once it knows what there is to be read.
    #[schema(example = json!(null))]
    progress: Option<ProgressBody>,
    /// Why the reading under way does not go on for the moment; it is tried again. Where none is under way: why the last
    /// was given up, for nothing is installed.
    #[schema(example = json!(null))]
    problem: Option<String>,
    /// Every queue that agents can dial from runs our whisper, going by the last whole reading, which must have lacked no
    /// permission.
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
/// running our whisper, and the ways of calling that no whisper sees. A worker reads the routing profiles once a day, and
/// when it is asked to; that a queue runs our whisper is known as of the last look of the reconciler.
#[utoipa::path(
    get, path = "/v1/instances/{id}/coverage", operation_id = "instances_coverage_get", tag = "instances",
    security(("bearer" = [View::NAME])),
    extensions(("x-errors" = json!(["instance_not_verified"]))),
    params(("id" = String, Path)), responses((status = 200, body = CoverageBody))
)]
pub(in crate::http) async fn get(
    caller: Caller<View>,
    Id(id): Id<InstanceId>,
) -> ApiResult<Json<CoverageBody>> {
    let mut tx = caller.begin().await?;
    must_be_verified(&mut tx, id).await?;
    let known = Known::load(&mut tx, id).await?;
    tx.commit().await?;
    let pace = caller.app.settings.connect_requests_per_second;
    Ok(Json(known.body(pace)))
}

/// Read the routing profiles anew
///
/// At once instead of within a day, by a worker; after a failure, once the pause before the next try is over, which is
/// some minutes at most. Wishes that come while one waits are the same one. It takes two requests for each routing profile, and one for each queue that does not
/// run our whisper, at most one a second. The answer is the coverage as it is known by now; read it again to see how far it
/// has come.
#[utoipa::path(
    post, path = "/v1/instances/{id}/coverage/refresh", operation_id = "instances_coverage_refresh", tag = "instances",
    security(("bearer" = [EditInstallations::NAME])),
    extensions(("x-errors" = json!(["instance_not_verified"]))),
    params(("id" = String, Path)), responses((status = 202, body = CoverageBody))
)]
pub(in crate::http) async fn refresh(
    caller: Caller<EditInstallations>,
    Id(id): Id<InstanceId>,
) -> OnceResult {
    let mut tx = caller.begin_once().await?;
    must_be_verified(&mut tx, id).await?;
    tx.coverage_ask(id, caller.now()).await?;
    tx.audit_append(&caller.change("coverage.refresh", id))
        .await?;
    let known = Known::load(&mut tx, id).await?;
    let body = known.body(caller.app.settings.connect_requests_per_second);
    let answer = tx.answer(StatusCode::ACCEPTED, &body).await?;
    caller.app.wake_ups.coverage.wake();
    Ok(answer)
}

async fn must_be_verified(tx: &mut TenantTx, id: InstanceId) -> ApiResult<()> {
    let view = tx.instance_view_get(id).await?;
    let view = view.ok_or_else(ApiError::not_found)?;
    if view.instance.verified_at.is_none() {
        return Err(ApiError::new(
            Code::InstanceNotVerified,
            "verify the instance first",
        ));
    }
    Ok(())
}

/// All that coverage is told from.
struct Known {
    reading: Option<Reading>,
    profiles: Vec<DialProfile>,
    queues: Vec<DialQueue>,
    installed: Installed,
}

impl Known {
    async fn load(tx: &mut TenantTx, id: InstanceId) -> ApiResult<Self> {
        Ok(Self {
            reading: tx.coverage_reading(id).await?,
            profiles: tx.coverage_profiles(id).await?,
            queues: tx.coverage_queues(id).await?,
            installed: Installed::load(tx, id).await?,
        })
    }

    fn body(self, requests_per_second: f64) -> CoverageBody {
        let state = match &self.reading {
            Some(reading) if reading.is_under_way() => StateWord::Reading,
            Some(reading) if reading.computed_at.is_some() => StateWord::Read,
            _ => StateWord::NotRead,
        };
        let progress = self.progress(requests_per_second);
        let reading = self.reading.unwrap_or_default();
        let queues = dialled_queues(&self.profiles, &self.queues, &self.installed);
        let mut missing = reading.missing_permissions;
        missing.extend(reading.refused);
        missing.sort_unstable();
        missing.dedup();
        CoverageBody {
            state,
            computed_at: reading.computed_at,
            progress,
            problem: Some(reading.problem).filter(|problem| !problem.is_empty()),
            complete: reading.computed_at.is_some()
                && missing.is_empty()
                && queues.iter().all(|queue| queue.covered),
            queues: queues.into_iter().map(queue_body).collect(),
            missing_permissions: missing.into_iter().map(missing_body).collect(),
            ways_round: ways_round(self.installed.request.as_ref())
                .into_iter()
                .map(way_body)
                .collect(),
        }
    }

    fn progress(&self, requests_per_second: f64) -> Option<ProgressBody> {
        let reading = self.reading.as_ref()?;
        reading.listed_at?;
        let ahead = ahead(
            reading.began_at?,
            &self.profiles,
            &self.queues,
            &self.installed,
            &reading.refused,
        );
        let interval = Duration::from_secs_f64(1.0 / requests_per_second.max(0.01));
        let requests = u32::try_from(ahead.requests()).unwrap_or(u32::MAX);
        Some(ProgressBody {
            done: ahead.done,
            total: ahead.total(),
            seconds_left: (interval * requests).as_secs_f64().ceil() as u64,
        })
    }
}

fn missing_body(permission: String) -> MissingPermission {
    MissingPermission {
        fix: format!("Add {permission} to the installer role's policy, as the template has it."),
        permission,
    }
}

fn way_body(way: WayRound) -> WayRoundBody {
    WayRoundBody {
        kind: way.kind.as_str().to_owned(),
        detail: way.detail,
        fix: way.fix.to_owned(),
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
        whisper_read_at: queue.whisper_read_at,
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
