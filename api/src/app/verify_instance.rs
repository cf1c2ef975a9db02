//! Proves that an instance belongs to the tenant that registered it and that the two roles do what they must.
//!
//! Invariants: a role that can be assumed without the external id, or with a wrong one, is refused, because then any
//! customer of Ringfence could point at it; every probe is harmless (it reads, or asks for what cannot be done).
//! Failure: each check says which permission is missing; a check that could not be tried says so.

use jiff::Timestamp;

use crate::aws::{
    Aws, AwsError, AwsErrorKind, ConnectInstance, FlowType, InstanceAccess, NewFlow, Outbound,
};
use crate::flow;

/// No queue of any instance has this id.
const NOWHERE: &str = "00000000-0000-4000-8000-000000000000";
const WRONG_EXTERNAL_ID: &str = "not-the-external-id-of-this-connection";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckStatus {
    Passed,
    Failed,
    Skipped,
}

/// Which of the tenant's statements a failed check speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    InstallerRole,
    RuntimeRole,
    Instance,
}

impl Subject {
    #[must_use]
    pub fn pointer(self) -> &'static str {
        match self {
            Self::InstallerRole => "/installer_role_arn",
            Self::RuntimeRole => "/runtime_role_arn",
            Self::Instance => "/instance_arn",
        }
    }

    fn role(self) -> &'static str {
        match self {
            Self::RuntimeRole => "runtime role",
            Self::InstallerRole | Self::Instance => "installer role",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub name: String,
    pub subject: Subject,
    pub status: CheckStatus,
    /// Machine-readable reason of a failure.
    pub code: Option<&'static str>,
    pub detail: String,
    pub fix: Option<String>,
}

impl Check {
    fn passed(name: &str, subject: Subject, detail: &str) -> Self {
        Self {
            name: name.to_owned(),
            subject,
            status: CheckStatus::Passed,
            code: None,
            detail: detail.to_owned(),
            fix: None,
        }
    }

    fn skipped(name: &str, subject: Subject, detail: &str) -> Self {
        Self {
            status: CheckStatus::Skipped,
            ..Self::passed(name, subject, detail)
        }
    }

    fn failed(name: &str, subject: Subject, code: &'static str, detail: String, fix: &str) -> Self {
        Self {
            status: CheckStatus::Failed,
            code: Some(code),
            fix: Some(fix.to_owned()),
            detail,
            ..Self::passed(name, subject, "")
        }
    }
}

/// Every check of one run, in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub checks: Vec<Check>,
}

impl Verification {
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks
            .iter()
            .filter(|check| check.status == CheckStatus::Failed)
    }
}

/// Both roles of a connection, each with what is needed to act through it.
#[derive(Debug, Clone)]
pub struct Roles {
    pub installer: InstanceAccess,
    pub runtime: InstanceAccess,
}

/// Runs every check. An error means that AWS could not be asked, not that a check failed.
pub async fn verify_instance(
    aws: &Aws,
    roles: &Roles,
    now: Timestamp,
) -> Result<Verification, AwsError> {
    let mut checks = Vec::new();
    aws.forget_session(&roles.installer);
    if check_role(aws, &roles.installer, Subject::InstallerRole, &mut checks).await? {
        let connect = aws.connect_instance(&roles.installer, now).await?;
        check_installer(&connect, &roles.installer, &mut checks).await?;
    }
    if check_role(aws, &roles.runtime, Subject::RuntimeRole, &mut checks).await? {
        let probe = aws.runtime_probe(&roles.runtime).await?;
        let subject = Subject::RuntimeRole;
        checks.push(permission(
            "connect:StopContact",
            subject,
            probe.stop_contact().await,
        )?);
        checks.push(permission(
            "connect:StartTaskContact",
            subject,
            probe.start_task_contact().await,
        )?);
    }
    Ok(Verification { checks })
}

/// Assumable with the external id, and in no other way.
async fn check_role(
    aws: &Aws,
    access: &InstanceAccess,
    subject: Subject,
    checks: &mut Vec<Check>,
) -> Result<bool, AwsError> {
    let role = subject.role();
    let name = format!("{}_assumable", role.replace(' ', "_"));
    match aws.try_assume(access, Some(&access.external_id)).await {
        Ok(()) => checks.push(Check::passed(
            &name,
            subject,
            "assumed with the external id",
        )),
        Err(err) if err.is_retryable() => return Err(err),
        Err(err) => {
            let detail = format!("the {role} {} could not be assumed: {err}", access.role_arn);
            let fix = "Deploy the template with the parameters of the onboarding, or give the ARN of the role it made.";
            checks.push(Check::failed(
                &name,
                subject,
                "role_not_assumable",
                detail,
                fix,
            ));
            return Ok(false);
        }
    }
    let name = format!("{}_external_id_enforced", role.replace(' ', "_"));
    for (wrong, words) in [
        (None, "without an external id"),
        (Some(WRONG_EXTERNAL_ID), "with a wrong external id"),
    ] {
        match aws.try_assume(access, wrong).await {
            Err(err) if err.kind == AwsErrorKind::AccessDenied => {}
            Err(err) => return Err(err),
            Ok(()) => {
                let detail = format!("the {role} {} can be assumed {words}", access.role_arn);
                let fix = "Add the condition StringEquals sts:ExternalId with the external id of the onboarding to the role's trust policy.";
                checks.push(Check::failed(
                    &name,
                    subject,
                    "external_id_not_enforced",
                    detail,
                    fix,
                ));
                return Ok(false);
            }
        }
    }
    checks.push(Check::passed(
        &name,
        subject,
        "refused without an external id and with a wrong one",
    ));
    Ok(true)
}

async fn check_installer<C: ConnectInstance>(
    connect: &C,
    access: &InstanceAccess,
    checks: &mut Vec<Check>,
) -> Result<(), AwsError> {
    let subject = Subject::InstallerRole;
    if !check_instance(connect, access, checks).await? {
        return Ok(());
    }
    let flows = connect.flows().await;
    let whisper = flows.as_ref().ok().and_then(|flows| {
        let mut whispers = flows
            .iter()
            .filter(|flow| flow.flow_type == FlowType::OutboundWhisper);
        let first = whispers.clone().next();
        whispers
            .find(|flow| flow.name == flow::DEFAULT_OUTBOUND_NAME)
            .or(first)
            .map(|flow| flow.id.clone())
    });
    checks.push(permission(
        "connect:ListContactFlows",
        subject,
        flows.map(drop),
    )?);
    checks.push(match whisper {
        Some(id) => permission(
            "connect:DescribeContactFlow",
            subject,
            connect.flow(&id).await.map(drop),
        )?,
        None => Check::skipped(
            "connect:DescribeContactFlow",
            subject,
            "the instance shows no outbound whisper to read",
        ),
    });
    let queues = connect.queues().await;
    let queue = queues
        .as_ref()
        .ok()
        .and_then(|queues| queues.first().map(|queue| queue.id.clone()));
    checks.push(permission("connect:ListQueues", subject, queues.map(drop))?);
    checks.push(match queue {
        Some(id) => permission(
            "connect:DescribeQueue",
            subject,
            connect.queue(&id).await.map(drop),
        )?,
        None => Check::skipped(
            "connect:DescribeQueue",
            subject,
            "the instance shows no queue to read",
        ),
    });
    checks.push(permission(
        "connect:CreateContactFlow",
        subject,
        try_create(connect).await,
    )?);
    let outbound = Outbound::default();
    checks.push(permission(
        "connect:UpdateQueueOutboundCallerConfig",
        subject,
        connect.queue_set_outbound(NOWHERE, &outbound).await,
    )?);
    for action in [
        "connect:UpdateContactFlowContent",
        "connect:DeleteContactFlow",
    ] {
        checks.push(Check::skipped(
            action,
            subject,
            "allowed on Ringfence's own flows only, so it is first tried when there is one",
        ));
    }
    Ok(())
}

async fn check_instance<C: ConnectInstance>(
    connect: &C,
    access: &InstanceAccess,
    checks: &mut Vec<Check>,
) -> Result<bool, AwsError> {
    const NAME: &str = "instance";
    let subject = Subject::Instance;
    let facts = match connect.describe().await {
        Ok(facts) => facts,
        Err(err) if err.kind == AwsErrorKind::NotFound => {
            let detail = format!(
                "{} does not exist in account {}",
                access.instance_arn,
                access.instance_arn.account_id()
            );
            let fix = "Register the ARN that the Amazon Connect console shows for the instance.";
            checks.push(Check::failed(
                NAME,
                subject,
                "instance_not_found",
                detail,
                fix,
            ));
            return Ok(false);
        }
        Err(err) => {
            checks.push(permission(
                "connect:DescribeInstance",
                Subject::InstallerRole,
                Err(err),
            )?);
            return Ok(false);
        }
    };
    checks.push(Check::passed(
        "connect:DescribeInstance",
        Subject::InstallerRole,
        "permitted",
    ));
    if facts.arn != access.instance_arn.to_string() {
        let detail = format!(
            "the account's instance has the ARN {}, not {}",
            facts.arn, access.instance_arn
        );
        let fix = "Register the ARN that the Amazon Connect console shows for the instance.";
        checks.push(Check::failed(
            NAME,
            subject,
            "instance_not_found",
            detail,
            fix,
        ));
        return Ok(false);
    }
    if !facts.active || !facts.outbound_calls_enabled {
        let detail =
            "the instance is not active, or outbound calls are switched off in it".to_owned();
        let fix = "Switch on outbound calls in the instance's telephony settings.";
        checks.push(Check::failed(
            NAME,
            subject,
            "outbound_calls_disabled",
            detail,
            fix,
        ));
        return Ok(false);
    }
    checks.push(Check::passed(
        NAME,
        subject,
        "found in this account and region, outbound calls are on",
    ));
    Ok(true)
}

/// Content that no instance accepts: being refused for it proves the permission, and nothing is made.
async fn try_create<C: ConnectInstance>(connect: &C) -> Result<(), AwsError> {
    let flow = NewFlow {
        name: "Ringfence permission check".to_owned(),
        flow_type: FlowType::OutboundWhisper,
        description: "Never published.".to_owned(),
        content: "{}".to_owned(),
        tags: [(
            flow::TAG_MANAGED_BY.to_owned(),
            flow::TAG_MANAGED_BY_VALUE.to_owned(),
        )]
        .into(),
    };
    let made = connect.flow_create(&flow).await?;
    connect.flow_delete(&made).await
}

/// Any answer but "access denied" shows that the permission is there.
fn permission(
    action: &str,
    subject: Subject,
    answer: Result<(), AwsError>,
) -> Result<Check, AwsError> {
    match answer {
        Err(err) if err.is_retryable() => Err(err),
        Err(err) if err.kind == AwsErrorKind::AccessDenied => {
            let detail = format!("the {} lacks {action}", subject.role());
            let fix = format!(
                "Add {action} to the {}'s policy, as the template has it.",
                subject.role()
            );
            Ok(Check::failed(
                action,
                subject,
                "permission_missing",
                detail,
                &fix,
            ))
        }
        Ok(()) | Err(_) => Ok(Check::passed(action, subject, "permitted")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn err(kind: AwsErrorKind) -> Result<(), AwsError> {
        Err(AwsError {
            action: "connect:ListQueues",
            kind,
            message: String::new(),
        })
    }

    #[test]
    fn only_access_denied_means_that_a_permission_is_missing() {
        for answer in [
            Ok(()),
            err(AwsErrorKind::NotFound),
            err(AwsErrorKind::Invalid),
            err(AwsErrorKind::InvalidFlow(Vec::new())),
            err(AwsErrorKind::Duplicate),
        ] {
            let check = permission("connect:ListQueues", Subject::InstallerRole, answer)
                .expect("an answer");
            assert_eq!(check.status, CheckStatus::Passed);
        }
        let denied = err(AwsErrorKind::AccessDenied);
        let check =
            permission("connect:ListQueues", Subject::InstallerRole, denied).expect("an answer");
        assert_eq!(check.status, CheckStatus::Failed);
        assert_eq!(check.code, Some("permission_missing"));
        assert_eq!(check.detail, "the installer role lacks connect:ListQueues");
    }

    #[test]
    fn an_outage_is_neither_a_pass_nor_a_failure() {
        for kind in [AwsErrorKind::Throttled, AwsErrorKind::Transient] {
            assert!(permission("connect:ListQueues", Subject::InstallerRole, err(kind)).is_err());
        }
    }
}
