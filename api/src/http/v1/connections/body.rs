//! A connection as the API shows it.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::onboarding::Onboarding;
use crate::http::v1::instances::Health;
use crate::store::{Connection, ConnectionHealth, ConnectionView};

/// How far the change of an external id has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RotationState {
    /// The roles have to accept both external ids: update the stack with the parameters that are shown here.
    Pending,
    /// The new one is in use; the roles still accept the former one: update the stack once more.
    Promoted,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExternalIdRotation)]
pub(super) struct RotationBody {
    state: RotationState,
    /// Every limiter that serves the account's instances has been told of the external ids that may be accepted. The
    /// stack is best updated once this is so, which takes a few seconds.
    #[schema(example = true)]
    limiters_told: bool,
}

/// How the roles did in one instance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionInstance)]
pub(super) struct InstanceBody {
    #[schema(example = "ins_01890a5d000070008000000000000000")]
    instance_id: String,
    #[schema(example = "northwind-us")]
    name: String,
    health: Health,
    #[schema(value_type = Option<String>, format = DateTime)]
    checked_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionDetail)]
pub(super) struct ConnectionBody {
    #[schema(example = "con_01890a5d000070008000000000000000")]
    id: String,
    #[schema(example = "111122223333")]
    account_id: String,
    #[schema(example = "arn:aws:iam::111122223333:role/ringfence-installer")]
    installer_role_arn: String,
    #[schema(example = "arn:aws:iam::111122223333:role/ringfence-runtime")]
    runtime_role_arn: String,
    /// The worst of its instances'.
    health: Health,
    instances: Vec<InstanceBody>,
    /// Null: no external id is being changed.
    rotation: Option<RotationBody>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// How the stack is to be deployed now; only for those who may manage instances, and not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    onboarding: Option<Onboarding>,
}

impl ConnectionBody {
    pub fn with_onboarding(self, onboarding: Onboarding) -> Self {
        Self {
            onboarding: Some(onboarding),
            ..self
        }
    }
}

impl From<ConnectionView> for ConnectionBody {
    fn from(view: ConnectionView) -> Self {
        let rotation = rotation_state(&view.connection).map(|state| RotationBody {
            state,
            limiters_told: view.is_published,
        });
        let health = worst(view.instances.iter().map(|instance| instance.health));
        Self {
            id: view.connection.id.to_string(),
            account_id: view.connection.account_id,
            installer_role_arn: view.connection.installer_role_arn,
            runtime_role_arn: view.connection.runtime_role_arn,
            health: health.into(),
            instances: view
                .instances
                .into_iter()
                .map(|instance| InstanceBody {
                    instance_id: instance.id.to_string(),
                    name: instance.name,
                    health: instance.health.into(),
                    checked_at: instance.checked_at,
                })
                .collect(),
            rotation,
            created_at: view.connection.created_at,
            onboarding: None,
        }
    }
}

fn rotation_state(connection: &Connection) -> Option<RotationState> {
    match (
        &connection.pending_external_id,
        &connection.former_external_id,
    ) {
        (Some(_), _) => Some(RotationState::Pending),
        (None, Some(_)) => Some(RotationState::Promoted),
        (None, None) => None,
    }
}

fn worst(health: impl Iterator<Item = ConnectionHealth>) -> ConnectionHealth {
    health.fold(ConnectionHealth::Unknown, |worst, health| {
        match (worst, health) {
            (ConnectionHealth::Unhealthy, _) | (_, ConnectionHealth::Unhealthy) => {
                ConnectionHealth::Unhealthy
            }
            (ConnectionHealth::Healthy, _) | (_, ConnectionHealth::Healthy) => {
                ConnectionHealth::Healthy
            }
            (ConnectionHealth::Unknown, ConnectionHealth::Unknown) => ConnectionHealth::Unknown,
        }
    })
}
