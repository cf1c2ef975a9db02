//! Would this call be let out now?

use std::collections::BTreeMap;

use axum::Json;
use jiff::Timestamp;
use ringfence_policy::draft::code;
use ringfence_policy::{ContactKey, Verdict};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::place::{listing_of, policy_of};
use super::rules::{CheckedRule, checked};
use crate::app::check_call::{Call, Place, check};
use crate::auth::View;
use crate::domain::ids::InstanceId;
use crate::domain::tenant::TenantStatus;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::fields::{Fields, FromFields};
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::http::v1::decisions::DecisionOutcome;

const NUMBER_MAX: usize = 100;
const ARN_MAX: usize = 500;
const ATTRIBUTES_MAX: usize = 50;
const ATTRIBUTE_MAX: usize = 1000;

#[derive(ToSchema)]
pub(super) struct NewCheck {
    /// Where the call would be made.
    #[schema(value_type = String, example = "ins_01890a5d000070008000000000000000")]
    instance_id: InstanceId,
    /// As an agent would dial it.
    #[schema(max_length = 100, example = "+12065550100")]
    customer_number: String,
    /// The number that the customer would see.
    #[schema(max_length = 100, example = "+14255550100")]
    caller_id: Option<String>,
    #[schema(max_length = 500, example = json!(null))]
    agent_arn: Option<String>,
    #[schema(max_length = 500, example = json!(null))]
    queue_arn: Option<String>,
    /// The contact's attributes.
    #[schema(required = false, example = json!({ "campaign": "autumn" }))]
    attributes: BTreeMap<String, String>,
}

impl FromFields for NewCheck {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let instance_id = fields.parsed(
            "instance_id",
            |text| text.parse().ok(),
            "must be the id of an instance",
        );
        let customer_number = fields.text("customer_number", NUMBER_MAX);
        let caller_id = fields.optional_text("caller_id", NUMBER_MAX);
        let agent_arn = fields.optional_text("agent_arn", ARN_MAX);
        let queue_arn = fields.optional_text("queue_arn", ARN_MAX);
        let attributes = attributes(fields);
        Some(Self {
            instance_id: instance_id?,
            customer_number: customer_number?,
            caller_id,
            agent_arn,
            queue_arn,
            attributes: attributes?,
        })
    }
}

fn attributes(fields: &mut Fields) -> Option<BTreeMap<String, String>> {
    let Some(sent) = fields.take("attributes") else {
        return Some(BTreeMap::new());
    };
    let read = match sent {
        Value::Object(sent) if sent.len() <= ATTRIBUTES_MAX => sent
            .into_iter()
            .map(|(name, value)| Some((name, value.as_str()?.to_owned())))
            .collect::<Option<BTreeMap<_, _>>>(),
        _ => None,
    };
    let short = |text: &String| text.len() <= ATTRIBUTE_MAX;
    let read = read.filter(|read| read.iter().all(|(name, value)| short(name) && short(value)));
    if read.is_none() {
        let detail = format!("must be an object of at most {ATTRIBUTES_MAX} texts");
        fields.fault("attributes", code::WRONG_TYPE, detail);
    }
    read
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Check {
    /// Whether it would go out.
    #[schema(example = true)]
    allowed: bool,
    /// As its decision would say.
    outcome: DecisionOutcome,
    /// As the decision's `reason`.
    #[schema(example = json!(null))]
    reason: Option<String>,
    /// The rule whose reason would be told.
    #[schema(example = json!(null))]
    rule_id: Option<String>,
    /// The first time at which nothing would deny it, if nobody else tries.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    retry_at: Option<Timestamp>,
    /// The newest version: limiters have it within seconds after it was put.
    #[schema(example = "pol_01890a5d000070008000000000000000")]
    policy_id: Option<String>,
    #[schema(example = 3)]
    policy_version: i64,
    rules: Vec<CheckedRule>,
}

/// Would this call be let out now?
///
/// The limiters' own decision, on what they have counted up to this moment. It counts for nothing: however often it is
/// asked, no call is denied for it. In the moment after, somebody else may take the last place.
#[utoipa::path(
    post, path = "/v1/checks", operation_id = "checks_create", tag = "checks",
    security(("bearer" = [View::NAME])),
    extensions(("x-errors" = json!(["instance_not_verified", "aws_unavailable"]))),
    request_body = NewCheck, responses((status = 200, body = Check))
)]
pub(in crate::http) async fn create(
    caller: Caller<View>,
    Body(new): Body<NewCheck>,
) -> ApiResult<Json<Check>> {
    let now = caller.now();
    let mut tx = caller.begin().await?;
    let instance = tx
        .instance_get(new.instance_id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    // What is counted at an instance that may be somebody else's is nobody's to see.
    if instance.verified_at.is_none() {
        return Err(ApiError::new(
            Code::InstanceNotVerified,
            "verify the instance first",
        ));
    }
    let here = policy_of(&mut tx, instance.id).await?;
    let listing = listing_of(&mut tx, &new.customer_number, &here.policy, now).await?;
    // Nobody's connection waits for the limiters' tables.
    drop(tx);
    if caller.tenant.status == TenantStatus::Suspended {
        return Ok(Json(Check {
            allowed: true,
            outcome: DecisionOutcome::Suspended,
            reason: None,
            rule_id: None,
            retry_at: None,
            policy_id: here.id,
            policy_version: here.version,
            rules: Vec::new(),
        }));
    }
    let call = Call {
        customer_number: Some(new.customer_number),
        caller_id: new.caller_id,
        agent_arn: new.agent_arn,
        queue_arn: new.queue_arn,
        attributes: new.attributes,
    };
    let contact = ContactKey(*caller.app.ids.uuid().as_bytes());
    let attempt = call.attempt(&here.policy, contact);
    let tenant_id = caller.tenant.id.to_string();
    let place = Place {
        tenant_id: &tenant_id,
        instance: &instance.arn,
        home_region: &caller.tenant.home_region,
    };
    let decision = check(
        &caller.app.aws,
        place,
        &here.policy,
        &attempt,
        listing.as_ref(),
        now,
    )
    .await?;
    let deciding = decision.deciding;
    Ok(Json(Check {
        allowed: decision.verdict != Verdict::Deny,
        outcome: match decision.verdict {
            Verdict::Allow => DecisionOutcome::Allowed,
            Verdict::WouldDeny => DecisionOutcome::WouldDeny,
            Verdict::Deny => DecisionOutcome::Denied,
            Verdict::Emergency => DecisionOutcome::Emergency,
            Verdict::Exempt => DecisionOutcome::Exempt,
        },
        reason: deciding.as_ref().map(|deciding| deciding.reason.to_owned()),
        rule_id: deciding
            .as_ref()
            .and_then(|deciding| deciding.rule_id.as_ref())
            .map(ToString::to_string),
        retry_at: deciding.and_then(|deciding| deciding.retry_at),
        policy_id: here.id,
        policy_version: here.version,
        rules: checked(&here.policy, decision.rules),
    }))
}
