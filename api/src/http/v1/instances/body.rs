//! An instance as the API shows it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::installation::InstallationState;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::v1::connections::Onboarding;
use crate::store::{ConnectionHealth, InstanceView};

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum InstanceStatus {
    PendingVerification,
    Verified,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http::v1) enum Health {
    Unknown,
    Healthy,
    Unhealthy,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CheckStatus {
    Passed,
    Failed,
    /// It works, and there is something to be done all the same.
    Warning,
    Skipped,
}

/// One thing that the last check tried.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Check {
    #[schema(example = "connect:DescribeQueue")]
    name: String,
    status: CheckStatus,
    #[schema(example = "the installer role may do this")]
    detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "update the stack with the present template")]
    fix: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Connection {
    #[schema(example = "con_01890a5d000070008000000000000000")]
    id: String,
    #[schema(example = "111122223333")]
    account_id: String,
    #[schema(example = "arn:aws:iam::111122223333:role/ringfence-installer")]
    installer_role_arn: String,
    #[schema(example = "arn:aws:iam::111122223333:role/ringfence-runtime")]
    runtime_role_arn: String,
    /// Of the roles as they were last tried in this instance: at a verification, and then at each check.
    health: Health,
    #[schema(value_type = Option<String>, format = DateTime)]
    checked_at: Option<Timestamp>,
    checks: Vec<Check>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum PolicySource {
    Own,
    Default,
    /// No rules: every call is allowed.
    None,
}

/// The policy that the instance goes by, and the one that limiters have been told.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InstancePolicy {
    source: PolicySource,
    #[schema(example = "pol_01890a5d000070008000000000000000")]
    id: Option<String>,
    #[schema(example = 3)]
    version: Option<u64>,
    #[schema(example = "pol_01890a5d000070008000000000000000")]
    in_force_id: Option<String>,
    #[schema(example = 3)]
    in_force_version: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Instance {
    #[schema(example = "ins_01890a5d000070008000000000000000")]
    id: String,
    #[schema(example = "northwind-us")]
    name: String,
    #[schema(
        example = "arn:aws:connect:us-east-1:111122223333:instance/5f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b"
    )]
    instance_arn: String,
    #[schema(example = "us-east-1")]
    region: String,
    #[schema(example = "111122223333")]
    account_id: String,
    status: InstanceStatus,
    #[schema(value_type = Option<String>, format = DateTime)]
    verified_at: Option<Timestamp>,
    connection: Connection,
    /// `uninstalled`, where nothing was ever asked for, too.
    #[schema(example = "installed")]
    installation_state: String,
    policy: InstancePolicy,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    onboarding: Option<Onboarding>,
}

impl Instance {
    pub fn with_onboarding(self, onboarding: Onboarding) -> Self {
        Self {
            onboarding: Some(onboarding),
            ..self
        }
    }
}

impl From<ConnectionHealth> for Health {
    fn from(health: ConnectionHealth) -> Self {
        match health {
            ConnectionHealth::Unknown => Self::Unknown,
            ConnectionHealth::Healthy => Self::Healthy,
            ConnectionHealth::Unhealthy => Self::Unhealthy,
        }
    }
}

impl TryFrom<InstanceView> for Instance {
    type Error = ApiError;

    fn try_from(view: InstanceView) -> ApiResult<Self> {
        let policy = policy(&view);
        let InstanceView {
            instance,
            connection,
            check,
            installation,
            ..
        } = view;
        let checks = serde_json::from_value(check.checks).map_err(|err| {
            ApiError::internal(format!("instances.checks of {}: {err}", instance.id))
        })?;
        Ok(Self {
            id: instance.id.to_string(),
            name: instance.name,
            instance_arn: instance.arn.to_string(),
            region: instance.arn.region().to_owned(),
            account_id: instance.arn.account_id().to_owned(),
            status: match instance.verified_at {
                Some(_) => InstanceStatus::Verified,
                None => InstanceStatus::PendingVerification,
            },
            verified_at: instance.verified_at,
            connection: Connection {
                id: connection.id.to_string(),
                account_id: connection.account_id,
                installer_role_arn: connection.installer_role_arn,
                runtime_role_arn: connection.runtime_role_arn,
                health: check.health.into(),
                checked_at: check.checked_at,
                checks,
            },
            installation_state: installation
                .unwrap_or(InstallationState::Uninstalled)
                .as_str()
                .to_owned(),
            policy,
            created_at: instance.created_at,
            onboarding: None,
        })
    }
}

fn policy(view: &InstanceView) -> InstancePolicy {
    let (source, policy) = match (view.own_policy, view.default_policy) {
        (Some(own), _) => (PolicySource::Own, Some(own)),
        (None, Some(default)) => (PolicySource::Default, Some(default)),
        (None, None) => (PolicySource::None, None),
    };
    InstancePolicy {
        source,
        id: policy.map(|policy| policy.id.to_string()),
        version: policy.map(|policy| policy.version),
        in_force_id: view.in_force.map(|policy| policy.id.to_string()),
        in_force_version: view.in_force.map(|policy| policy.version),
    }
}
