//! A candidate policy over what was recorded.

use std::collections::BTreeMap;

use axum::Json;
use jiff::{SignedDuration, Timestamp};
use ringfence_policy::Policy;
use ringfence_policy::draft::code;
use serde::Serialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::body::checked;
use super::document::PolicyDocument;
use crate::app::check_call::Call;
use crate::app::replay::{Recorded, contact, replay};
use crate::auth::View;
use crate::domain::ids::{DecisionId, InstanceId};
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::fields::{Fields, FromFields};
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::store::{Cursor, DecisionFilter, StoredDecision, TenantTx};

const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);
const DEFAULT: SignedDuration = SignedDuration::from_hours(24);
/// As many as can be replayed while somebody waits.
const ATTEMPTS_MAX: usize = 10_000;
const READ_AT_ONCE: i64 = 1000;

#[derive(ToSchema)]
pub(super) struct NewReplay {
    #[schema(value_type = PolicyDocument)]
    policy: Value,
    /// From this time on; 24 hours before `to` if not given, and at most 31 days before it.
    #[schema(value_type = Option<String>, format = DateTime, required = false, example = "2026-11-24T12:00:00Z")]
    from: Option<Timestamp>,
    /// Before this time; now if not given.
    #[schema(value_type = Option<String>, format = DateTime, required = false, example = "2026-11-25T12:00:00Z")]
    to: Option<Timestamp>,
    /// Only calls of this instance.
    #[schema(value_type = Option<String>, required = false, example = "ins_01890a5d000070008000000000000000")]
    instance_id: Option<InstanceId>,
}

impl FromFields for NewReplay {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let policy = if fields.is_missing("policy") {
            None
        } else {
            fields.take("policy")
        };
        let from = fields.optional_time("from");
        let to = fields.optional_time("to");
        let instance_id = fields
            .optional_text("instance_id", 100)
            .map(|text| text.parse());
        if let Some(Err(_)) = instance_id {
            fields.fault(
                "instance_id",
                code::INVALID,
                "must be the id of an instance",
            );
        }
        Some(Self {
            policy: policy?,
            from,
            to,
            instance_id: instance_id.and_then(Result::ok),
        })
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Replay {
    /// Where it begins: later than asked where there are more than 10 000 attempts, of which the last are replayed.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime, example = "2026-11-25T12:00:00Z")]
    to: Timestamp,
    /// Whether all attempts from the time asked for were replayed.
    #[schema(example = true)]
    complete: bool,
    #[schema(example = 10_000)]
    attempts: usize,
    /// How many of them the policy would have denied; one in shadow, or a rule in shadow, as if it enforced.
    #[schema(example = 41)]
    would_deny: usize,
    /// By the rule whose reason would have been told; rules that would have denied nothing are left out.
    #[schema(example = json!({ "repeat-calls": 41 }))]
    by_rule: BTreeMap<String, usize>,
    /// The first 20.
    examples: Vec<ReplayedDenial>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReplayedDenial {
    /// What became of the call at the time.
    #[schema(example = "dec_01890a5d000070008000000000000000")]
    decision_id: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(example = "repeat-calls")]
    rule_id: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-25T12:01:00Z")]
    retry_at: Option<Timestamp>,
}

/// Replay recorded attempts under a policy, storing nothing
///
/// What it would have denied. Counting begins at `from` with nothing; every attempt is taken as if it had been the first
/// time that somebody limits it; numbers on the tenant's lists count as any other; and contact attributes are not on record,
/// so that rules which count per one, or ask for one, do not apply.
#[utoipa::path(
    post, path = "/v1/policies/replay", operation_id = "policies_replay", tag = "policies",
    security(("bearer" = [View::NAME])),
    request_body = NewReplay, responses((status = 200, body = Replay))
)]
pub(in crate::http) async fn run(
    caller: Caller<View>,
    Body(new): Body<NewReplay>,
) -> ApiResult<Json<Replay>> {
    let policy = checked(new.policy).map_err(|err| err.within("/policy"))?;
    let to = new.to.unwrap_or(caller.now());
    let from = new.from.unwrap_or(to.checked_sub(DEFAULT).unwrap_or(to));
    let asked = to.duration_since(from);
    if asked <= SignedDuration::ZERO || asked > LONGEST || from.as_second() < 0 {
        return Err(ApiError::field(
            "/from",
            code::INVALID,
            "must be before `to`, by at most 31 days",
        ));
    }
    let filter = DecisionFilter {
        instance: new.instance_id,
        from: Some(from),
        to: Some(to),
        ..DecisionFilter::default()
    };
    let turn = caller.app.turns.replay().await?;
    let mut tx = caller.begin_frozen().await?;
    if let Some(id) = new.instance_id {
        tx.instance_get(id).await?.ok_or_else(ApiError::not_found)?;
    }
    let mut newest_first = read(&mut tx, &filter).await?;
    drop(tx);
    let complete = newest_first.len() <= ATTEMPTS_MAX;
    newest_first.truncate(ATTEMPTS_MAX);
    let begins = newest_first
        .last()
        .filter(|_| !complete)
        .map_or(from, |first| first.at);
    let tenant_id = caller.tenant.id.to_string();
    // Cancelled with this request, by whoever ends it: its caller, or the time that requests are given.
    let ended = CancellationToken::new();
    let _ends_with_request = ended.clone().drop_guard();
    // It keeps a processor busy for as long as it takes, and its turn lasts as long.
    let replaying = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let attempts = newest_first.into_iter().rev().enumerate();
        let attempts = attempts.map(|(place, decision)| recorded(&policy, place, decision));
        replay(&policy, &tenant_id, attempts, || ended.is_cancelled())
    });
    let replayed = replaying
        .await
        .map_err(|err| ApiError::internal(err.to_string()))?
        .ok_or_else(|| ApiError::new(Code::Timeout, "the replay did not end in time"))?;
    let denial = |denial: crate::app::replay::Denial<DecisionId>| ReplayedDenial {
        decision_id: denial.id.to_string(),
        at: denial.at,
        rule_id: denial.rule_id,
        retry_at: denial.retry_at,
    };
    Ok(Json(Replay {
        from: begins,
        to,
        complete,
        attempts: replayed.attempts,
        would_deny: replayed.denied,
        by_rule: replayed.by_rule,
        examples: replayed.examples.into_iter().map(denial).collect(),
    }))
}

/// Newest first, at least one more than are replayed if there are so many.
async fn read(tx: &mut TenantTx, filter: &DecisionFilter) -> ApiResult<Vec<StoredDecision>> {
    let mut found: Vec<StoredDecision> = Vec::new();
    while found.len() <= ATTEMPTS_MAX {
        let cursor = found.last().map(|last| Cursor {
            at: last.at,
            id: last.id,
        });
        let page = tx.decision_list(filter, cursor, READ_AT_ONCE).await?;
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    Ok(found)
}

fn recorded(policy: &Policy, place: usize, decision: StoredDecision) -> Recorded<DecisionId> {
    let record = decision.record;
    let call = Call {
        customer_number: record.customer_number,
        caller_id: record.caller_id,
        agent_arn: record.agent_arn,
        queue_arn: record.queue_arn,
        attributes: BTreeMap::new(),
    };
    Recorded {
        id: decision.id,
        at: record.at,
        instance_arn: record.instance_arn,
        attempt: call.attempt(policy, contact(place)),
    }
}
