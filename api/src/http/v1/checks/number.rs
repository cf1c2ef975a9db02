//! What stands against a number, instance by instance.

use axum::Json;
use axum::extract::Path;
use futures::future::join_all;
use jiff::Timestamp;
use ringfence_policy::{ContactKey, List as PolicyList};
use serde::Serialize;
use utoipa::ToSchema;

use super::place::{PolicyHere, listing_of, policy_of};
use super::rules::{CheckedRule, checked};
use crate::app::check_call::{Call, Place, check};
use crate::auth::View;
use crate::domain::phone::PhoneNumber;
use crate::http::caller::Caller;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::{Query, page};
use crate::store::{Instance, InstanceView};

/// Instances whose meters are read at a time.
const AT_ONCE: usize = 4;
/// As many instances as can be asked while somebody waits.
const LIMIT_MAX: i64 = 20;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NumberStanding {
    /// In E.164.
    #[schema(example = "+12065550100")]
    number: String,
    /// The list of the tenant's that it is on.
    listed: Option<NumberListing>,
    /// By instance.
    data: Vec<NumberAtInstance>,
    #[schema(example = json!(null))]
    next_cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum NumberListing {
    Exemption,
    Block,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NumberAtInstance {
    #[schema(example = "ins_01890a5d000070008000000000000000")]
    instance_id: String,
    #[schema(example = 3)]
    policy_version: i64,
    /// What each rule finds for a call to this number now. One that counts per something else as well does not apply, as
    /// nothing else is said of the call. Null: its region did not answer.
    rules: Option<Vec<CheckedRule>>,
    /// Why there are no rules.
    problem: Option<StandingProblem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StandingProblem {
    AwsUnavailable,
    /// It may be somebody else's, and so may be what is counted there.
    InstanceNotVerified,
}

/// What stands against a number
///
/// Every rule's count and what remains of its limit, at each of the tenant's instances, as of now. Nothing is counted. An
/// instance whose region does not answer says so, and the others answer all the same.
#[utoipa::path(
    get, path = "/v1/numbers/{number}", operation_id = "numbers_get", tag = "checks",
    security(("bearer" = [View::NAME])),
    params(
        ("number" = String, Path, description = "In E.164", example = "+12065550100"),
        ("limit" = Option<u32>, Query, maximum = 20), ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, body = NumberStanding))
)]
pub(in crate::http) async fn get(
    caller: Caller<View>,
    Path(number): Path<String>,
    mut query: Query,
) -> ApiResult<Json<NumberStanding>> {
    let number = PhoneNumber::read(&number).ok_or_else(ApiError::not_found)?;
    let limit = query.limit_up_to(LIMIT_MAX)?;
    let after = query.cursor(|text| text.parse().ok())?;
    query.finish()?;
    let now = caller.now();
    let mut tx = caller.begin().await?;
    let instances = tx.instance_view_list(after, limit + 1).await?;
    let position = |view: &InstanceView| view.instance.id.to_string();
    let list = page(instances, limit, position, |view| view.instance);
    let mut places = Vec::new();
    for instance in list.data {
        let here = policy_of(&mut tx, instance.id).await?;
        places.push((instance, here));
    }
    let policy = Default::default();
    let listing = listing_of(&mut tx, number.as_str(), &policy, now).await?;
    // Nobody's connection waits for the limiters' tables.
    drop(tx);
    let (caller, text) = (&caller, number.as_str());
    let mut data = Vec::new();
    for some in places.chunks(AT_ONCE) {
        let asked = some.iter().map(|place| standing(caller, text, place, now));
        data.extend(join_all(asked).await);
    }
    Ok(Json(NumberStanding {
        number: text.to_owned(),
        listed: listing.map(|listing| match listing.list {
            PolicyList::Exemption => NumberListing::Exemption,
            PolicyList::Block => NumberListing::Block,
        }),
        data,
        next_cursor: list.next_cursor,
    }))
}

async fn standing(
    caller: &Caller<View>,
    number: &str,
    (instance, here): &(Instance, PolicyHere),
    now: Timestamp,
) -> NumberAtInstance {
    let standing = |rules, problem| NumberAtInstance {
        instance_id: instance.id.to_string(),
        policy_version: here.version,
        rules,
        problem,
    };
    if instance.verified_at.is_none() {
        return standing(None, Some(StandingProblem::InstanceNotVerified));
    }
    let call = Call {
        customer_number: Some(number.to_owned()),
        ..Call::default()
    };
    let contact = ContactKey(*caller.app.ids.uuid().as_bytes());
    let attempt = call.attempt(&here.policy, contact);
    let tenant_id = caller.tenant.id.to_string();
    let place = Place {
        tenant_id: &tenant_id,
        instance: &instance.arn,
        home_region: &caller.tenant.home_region,
    };
    let found = check(&caller.app.aws, place, &here.policy, &attempt, None, now).await;
    match found {
        Ok(decision) => standing(Some(checked(&here.policy, decision.rules)), None),
        Err(err) => {
            tracing::warn!(instance = %instance.id, error = %err, "meters not read");
            standing(None, Some(StandingProblem::AwsUnavailable))
        }
    }
}
