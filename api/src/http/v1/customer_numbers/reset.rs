//! Letting what is counted for a number begin anew.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::Path;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::reason::ResetRequest;
use crate::app::check_call::Place;
use crate::app::number_meters::{
    Begun, Combinations, RegionalMeter, begin_anew, customer_rules, meters_of, rules_out_of_reach,
};
use crate::auth::EditNumbers;
use crate::domain::ids::InstanceId;
use crate::domain::phone::PhoneNumber;
use crate::domain::webhook::masked;
use crate::http::body::Body;
use crate::http::caller::{Caller, states};
use crate::http::once::OnceResult;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::v1::checks::policy_of;
use crate::store::{TenantTx, Tried};

/// Far more ways than anybody calls one customer in, and as many meters as can be written while somebody waits.
const TRIED_MAX: usize = 1000;
/// The longest that any rule remembers, 366 civil days, and one more.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(368 * 24);

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NumberReset {
    /// In E.164.
    #[schema(example = "+12065550100")]
    number: String,
    /// At every instance. False: `data` says where not.
    #[schema(example = true)]
    complete: bool,
    /// By instance.
    data: Vec<ResetAtInstance>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResetAtInstance {
    #[schema(example = "ins_01890a5d000070008000000000000000")]
    instance_id: String,
    /// Whose rules' meters these are.
    #[schema(example = 3)]
    policy_version: i64,
    /// All of the meters that could be named are empty now, or were.
    #[schema(example = true)]
    reset: bool,
    /// Meters in which something stood and that have begun anew. One over all instances is told at each of them.
    #[schema(example = 1)]
    meters: usize,
    /// Why it was not reset, or not wholly.
    #[schema(example = json!(null))]
    problem: Option<ResetProblem>,
    /// Rules that count per customer and contact attribute. Attributes are not on record, so the meters of these rules cannot
    /// be named; they go on as they stand.
    #[schema(example = json!([]))]
    rules_not_reset: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ResetProblem {
    /// The region of one of its meters did not answer.
    AwsUnavailable,
    /// The number was called in more than 1 000 ways; the meters of the latest 1 000 have begun anew.
    TooManyCombinations,
}

/// Let what is counted for a number begin anew
///
/// At each of the tenant's verified instances the meters of rules that count per customer are emptied for this number: the
/// next call to it is the first. Rules that count per customer and something else (caller id, agent, queue) have a meter for
/// each combination; those that stand in the decisions of this number are emptied. Rules that do not count per customer go on
/// as they stand, also where the number is a caller id.
///
/// Repeating it is harmless, and takes up what was not reset or has come since; with another `Idempotency-Key`, as one that was
/// used is answered as before. A call that is under way is counted before or afterwards, as the store takes it.
#[utoipa::path(
    post, path = "/v1/numbers/{number}/reset", operation_id = "numbers_reset", tag = "checks",
    security(("bearer" = [EditNumbers::NAME])),
    params(("number" = String, Path, description = "In E.164", example = "+12065550100")),
    request_body = ResetRequest, responses((status = 200, body = NumberReset))
)]
pub(in crate::http) async fn reset(
    caller: Caller<EditNumbers>,
    Path(number): Path<String>,
    Body(request): Body<ResetRequest>,
) -> OnceResult {
    let number = PhoneNumber::read(&number).ok_or_else(ApiError::not_found)?;
    let reason = request.reason_about(&number)?;
    // Asked again at the end: in between the limiters' tables are written, which no transaction can wait for.
    drop(caller.begin_once().await?);
    let mut tx = caller.begin().await?;
    let wanted = Wanted::find(&mut tx, &caller, &number).await?;
    // First, so that whatever becomes of this request, nothing has begun anew without its row.
    let after = json!({ "number": masked(number.as_str()), "reason": reason });
    let change = caller.change("number.reset", masked(number.as_str()));
    tx.audit_append(&states(change, None, Some(after))).await?;
    tx.commit().await?;

    let begun = begin_anew(&caller.app.aws, &wanted.meters()).await;
    for (region, err) in &begun.failed {
        tracing::warn!(region, error = %err, "meters not reset");
    }
    let data = wanted.told(&begun);
    let body = NumberReset {
        number: number.as_str().to_owned(),
        complete: data.iter().all(|at| at.reset),
        data,
    };
    let mut tx = caller.begin_once().await?;
    if !body.complete {
        let change = caller.change("number.reset_in_part", masked(number.as_str()));
        let not_reset = body.data.iter().filter(|at| !at.reset);
        let not_reset: Vec<&str> = not_reset.map(|at| at.instance_id.as_str()).collect();
        let after = json!({ "number": masked(number.as_str()), "not_reset": not_reset });
        tx.audit_append(&states(change, None, Some(after))).await?;
    }
    Ok(tx.answer(StatusCode::OK, &body).await?)
}

/// What is to be done at each instance.
struct Wanted {
    instances: Vec<AtInstance>,
    /// There are more combinations than these meters are of.
    is_cut: bool,
}

struct AtInstance {
    id: InstanceId,
    policy_version: i64,
    meters: BTreeSet<RegionalMeter>,
    out_of_reach: Vec<String>,
}

impl Wanted {
    async fn find(
        tx: &mut TenantTx,
        caller: &Caller<EditNumbers>,
        number: &PhoneNumber,
    ) -> ApiResult<Self> {
        let now = caller.now();
        let since = now.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        let limit = i64::try_from(TRIED_MAX).unwrap_or(i64::MAX);
        let tried = tx.number_tried(number, since, limit + 1).await?;
        let is_cut = tried.len() > TRIED_MAX;
        let mut by_instance: BTreeMap<InstanceId, Vec<Tried>> = BTreeMap::new();
        let mut anywhere = Vec::new();
        for (instance, tried) in tried.into_iter().take(TRIED_MAX) {
            anywhere.push(tried.clone());
            by_instance.entry(instance).or_default().push(tried);
        }
        let tenant_id = caller.tenant.id.to_string();
        let mut instances = Vec::new();
        for instance in tx.instances_verified().await? {
            let here = policy_of(tx, instance.id).await?;
            let place = Place {
                tenant_id: &tenant_id,
                instance: &instance.arn,
                home_region: &caller.tenant.home_region,
            };
            let combinations = Combinations {
                here: by_instance.get(&instance.id).map_or(&[], Vec::as_slice),
                anywhere: &anywhere,
            };
            instances.push(AtInstance {
                id: instance.id,
                policy_version: here.version,
                meters: meters_of(&customer_rules([&here.policy]), place, number, combinations),
                out_of_reach: rules_out_of_reach(&here.policy),
            });
        }
        Ok(Self { instances, is_cut })
    }

    fn meters(&self) -> BTreeSet<RegionalMeter> {
        let each = self.instances.iter();
        each.flat_map(|at| at.meters.iter().cloned()).collect()
    }

    fn told(self, begun: &Begun) -> Vec<ResetAtInstance> {
        let is_cut = self.is_cut;
        let told = |at: AtInstance| {
            let stood: Vec<Option<bool>> = at
                .meters
                .iter()
                .map(|meter| begun.done.get(meter).copied())
                .collect();
            let problem = if stood.contains(&None) {
                Some(ResetProblem::AwsUnavailable)
            } else {
                is_cut.then_some(ResetProblem::TooManyCombinations)
            };
            ResetAtInstance {
                instance_id: at.id.to_string(),
                policy_version: at.policy_version,
                reset: problem.is_none(),
                meters: stood.iter().filter(|stood| **stood == Some(true)).count(),
                problem,
                rules_not_reset: at.out_of_reach,
            }
        };
        self.instances.into_iter().map(told).collect()
    }
}
