//! The installer role's permissions, each tried by a request that changes nothing: it reads, or asks for what cannot be.
//!
//! Assumed of Connect, as of every AWS service: permission is looked at before existence, so that a request about a flow,
//! a queue or an agent that nobody has tells one from the other.

use crate::aws::{
    AwsError, AwsErrorKind, ConnectInstance, FlowType, InstanceAccess, NewFlow, Outbound,
    SdkConnectInstance,
};
use crate::flow;

use super::check::{Check, Subject, permission};

/// Nothing in any instance has this id. The template permits changing and deleting a flow of this id: what it permits
/// otherwise holds for flows with our tag, and of those there may be none to try it on. Deleting is tried on nothing else,
/// since no request to delete what is there is harmless.
const NOWHERE: &str = "00000000-0000-4000-8000-000000000000";
/// Content that no instance accepts: being refused for it proves the permission, and nothing is changed.
const UNREADABLE: &str = "{}";
const CREATE: &str = "connect:CreateContactFlow";
const TAG: &str = "connect:TagResource";
const ROLE: Subject = Subject::InstallerRole;
const TRIES_MAX: u32 = 4;

pub(super) async fn check_installer(
    connect: &SdkConnectInstance,
    checks: &mut Vec<Check>,
) -> Result<(), AwsError> {
    let ours = check_reading(connect, checks).await?;
    check_creating(again(|| try_create(connect)).await, checks)?;
    let outbound = Outbound::default();
    let answers = [
        (
            "connect:UpdateContactFlowContent",
            again(|| try_update(connect, ours.as_deref())).await,
        ),
        (
            "connect:DeleteContactFlow",
            again(|| connect.flow_delete(NOWHERE)).await,
        ),
        (
            "connect:UpdateQueueOutboundCallerConfig",
            again(|| connect.queue_set_outbound(NOWHERE, &outbound)).await,
        ),
        (
            "connect:DescribeUser",
            connect.agent_routing_profile(NOWHERE).await.map(drop),
        ),
        (
            "connect:DescribeRoutingProfile",
            connect.routing_profile_takes_tasks(NOWHERE).await.map(drop),
        ),
        (
            "connect:ListRoutingProfiles",
            connect.routing_profiles().await.map(drop),
        ),
        (
            "connect:ListRoutingProfileQueues",
            connect.routing_profile_queues(NOWHERE).await.map(drop),
        ),
    ];
    for (action, answer) in answers {
        checks.push(permission(action, ROLE, answer)?);
    }
    Ok(())
}

/// Requests for changes are sent once only. These change nothing, so that what failed for the moment may be sent again.
async fn again<F, Fut>(probe: F) -> Result<(), AwsError>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<(), AwsError>>,
{
    for _ in 1..TRIES_MAX {
        match probe().await {
            Err(err) if err.is_retryable() => {}
            answer => return answer,
        }
    }
    probe().await
}

/// Answers a flow of ours, where the instance has one.
async fn check_reading(
    connect: &SdkConnectInstance,
    checks: &mut Vec<Check>,
) -> Result<Option<String>, AwsError> {
    let flows = connect.flows().await;
    let named: Vec<String> = flows
        .iter()
        .flatten()
        .filter(|flow| flow.usable && flow::is_name_of_ours(&flow.name))
        .map(|flow| flow.id.clone())
        .collect();
    let whisper = flows.as_ref().ok().and_then(|flows| {
        let mut whispers = flows
            .iter()
            .filter(|flow| flow.flow_type == Some(FlowType::OutboundWhisper));
        let first = whispers.clone().next();
        whispers
            .find(|flow| flow.name == flow::DEFAULT_OUTBOUND_NAME)
            .or(first)
            .map(|flow| flow.id.clone())
    });
    checks.push(permission(
        "connect:ListContactFlows",
        ROLE,
        flows.map(drop),
    )?);
    checks.push(match whisper {
        Some(id) => {
            let answer = connect.flow(&id).await.map(drop);
            permission("connect:DescribeContactFlow", ROLE, answer)?
        }
        None => Check::skipped(
            "connect:DescribeContactFlow",
            ROLE,
            "the instance shows no outbound whisper to read",
        ),
    });
    let queues = connect.queues().await;
    let queue = queues
        .as_ref()
        .ok()
        .and_then(|queues| queues.first().map(|queue| queue.id.clone()));
    checks.push(permission("connect:ListQueues", ROLE, queues.map(drop))?);
    checks.push(match queue {
        Some(id) => {
            let answer = connect.queue(&id).await.map(drop);
            permission("connect:DescribeQueue", ROLE, answer)?
        }
        None => Check::skipped(
            "connect:DescribeQueue",
            ROLE,
            "the instance shows no queue to read",
        ),
    });
    first_of_ours(connect, named).await
}

/// The tag says which are ours. What cannot be read is none of them here: whether reading is permitted was told before.
async fn first_of_ours(
    connect: &SdkConnectInstance,
    named: Vec<String>,
) -> Result<Option<String>, AwsError> {
    for id in named {
        match connect.flow(&id).await {
            Ok(found) => {
                let tag = found.tags.get(flow::TAG_MANAGED_BY).map(String::as_str);
                if tag == Some(flow::TAG_MANAGED_BY_VALUE) {
                    return Ok(Some(id));
                }
            }
            Err(err) if err.is_retryable() => return Err(err),
            Err(_) => {}
        }
    }
    Ok(None)
}

/// On a flow of ours, as changes are made; on none where there is none.
async fn try_update(connect: &SdkConnectInstance, ours: Option<&str>) -> Result<(), AwsError> {
    let flow_id = ours.unwrap_or(NOWHERE);
    connect.flow_update(flow_id, UNREADABLE).await
}

/// Making a flow with tags takes two permissions, and a refusal names the one that is missing.
fn check_creating(answer: Result<(), AwsError>, checks: &mut Vec<Check>) -> Result<(), AwsError> {
    let is_tagging =
        |err: &AwsError| err.kind == AwsErrorKind::AccessDenied && err.refused_action() == TAG;
    let denied = matches!(&answer, Err(err) if err.kind == AwsErrorKind::AccessDenied);
    match answer {
        Err(err) if is_tagging(&err) => {
            checks.push(Check::passed(CREATE, ROLE, "permitted"));
            checks.push(permission(TAG, ROLE, Err(err))?);
        }
        answer => {
            checks.push(permission(CREATE, ROLE, answer)?);
            checks.push(if denied {
                Check::skipped(TAG, ROLE, "told only where flows may be created")
            } else {
                Check::passed(TAG, ROLE, "permitted")
            });
        }
    }
    Ok(())
}

/// Whether the instance is the one that was registered, and fit for what is to come.
pub(super) async fn check_instance(
    connect: &SdkConnectInstance,
    access: &InstanceAccess,
    checks: &mut Vec<Check>,
) -> Result<bool, AwsError> {
    const ACTION: &str = "connect:DescribeInstance";
    const AS_SHOWN: &str =
        "Register the ARN that the Amazon Connect console shows for the instance.";
    let facts = match connect.describe().await {
        Ok(facts) => facts,
        Err(err) if err.kind == AwsErrorKind::NotFound => {
            let detail = format!(
                "{} does not exist in account {}",
                access.instance_arn,
                access.instance_arn.account_id()
            );
            checks.push(instance_failed("instance_not_found", detail, AS_SHOWN));
            return Ok(false);
        }
        Err(err) => {
            checks.push(permission(ACTION, ROLE, Err(err))?);
            return Ok(false);
        }
    };
    checks.push(Check::passed(ACTION, ROLE, "permitted"));
    if facts.arn != access.instance_arn.to_string() {
        let detail = format!(
            "the account's instance has the ARN {}, not {}",
            facts.arn, access.instance_arn
        );
        checks.push(instance_failed("instance_not_found", detail, AS_SHOWN));
        return Ok(false);
    }
    if !facts.active || !facts.outbound_calls_enabled {
        let detail =
            "the instance is not active, or outbound calls are switched off in it".to_owned();
        let fix = "Switch on outbound calls in the instance's telephony settings.";
        checks.push(instance_failed("outbound_calls_disabled", detail, fix));
        // What the roles may, the instance tells all the same.
        return Ok(true);
    }
    checks.push(Check::passed(
        INSTANCE,
        Subject::Instance,
        "found in this account and region, outbound calls are on",
    ));
    Ok(true)
}

const INSTANCE: &str = "instance";

fn instance_failed(code: &'static str, detail: String, fix: &str) -> Check {
    Check::failed(INSTANCE, Subject::Instance, code, detail, fix)
}

async fn try_create(connect: &SdkConnectInstance) -> Result<(), AwsError> {
    let flow = NewFlow {
        name: "Ringfence permission check".to_owned(),
        flow_type: FlowType::OutboundWhisper,
        description: "Never published.".to_owned(),
        content: UNREADABLE.to_owned(),
        tags: [(
            flow::TAG_MANAGED_BY.to_owned(),
            flow::TAG_MANAGED_BY_VALUE.to_owned(),
        )]
        .into(),
    };
    let made = connect.flow_create(&flow).await?;
    connect.flow_delete(&made.id).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::verify_instance::CheckStatus;

    fn told(answer: Result<(), AwsError>) -> Vec<(String, CheckStatus)> {
        let mut checks = Vec::new();
        check_creating(answer, &mut checks).expect("an answer");
        let told = checks.into_iter().map(|check| (check.name, check.status));
        told.collect()
    }

    fn denied(action: &str) -> Result<(), AwsError> {
        Err(AwsError {
            action: CREATE,
            kind: AwsErrorKind::AccessDenied,
            message: format!("User: x is not authorized to perform: {action} on resource: y"),
        })
    }

    #[test]
    fn of_the_two_permissions_that_creating_takes_the_missing_one_is_named() {
        use CheckStatus::{Failed, Passed, Skipped};
        let both = |create, tag| [(CREATE.to_owned(), create), (TAG.to_owned(), tag)];
        assert_eq!(told(denied(TAG)), both(Passed, Failed));
        assert_eq!(told(denied(CREATE)), both(Failed, Skipped));
        let refused = Err(AwsError {
            action: CREATE,
            kind: AwsErrorKind::InvalidFlow(Vec::new()),
            message: String::new(),
        });
        assert_eq!(told(refused), both(Passed, Passed));
    }
}
