//! Other instances of an account, before the roles that they go by are changed through one of them.
//!
//! Invariant: roles that fail at an instance with an installation do not take the place of those that it goes by. Failure:
//! an account that cannot be asked leaves the roles as they are.

use crate::aws::{Aws, AwsError};
use crate::domain::ids::InstanceId;
use crate::domain::installation::InstallationState;
use crate::domain::pace::Urgency;
use crate::store::{StoreError, TenantTx};

use super::check_connection::{Place, RoleArns, check_connection};
use super::verify_instance::{Check, CheckStatus, Subject};

/// Why roles would not do at an instance.
#[derive(Debug)]
pub struct Refusal {
    pub instance: InstanceId,
    /// As the tenant calls it.
    pub name: String,
    pub failures: Vec<Check>,
}

/// Those that go by the same roles, and on which something is or is to be installed.
pub(super) async fn installed_beside(
    tx: &mut TenantTx,
    place: &Place,
) -> Result<Vec<Place>, StoreError> {
    let mut beside = Vec::new();
    for instance in tx.instances_verified().await? {
        if instance.connection_id != place.connection.id || instance.id == place.instance.id {
            continue;
        }
        let installation = tx.installation_get(instance.id).await?;
        let is_installed = installation
            .is_some_and(|installation| installation.state != InstallationState::Uninstalled);
        if is_installed {
            beside.push(Place::load(tx, instance, place.connection.clone()).await?);
        }
    }
    Ok(beside)
}

/// The first of these instances where the roles fail. One that is gone fails by itself, whatever the roles.
pub(super) async fn refused_at(
    aws: &Aws,
    places: &[Place],
    roles: &RoleArns,
) -> Result<Option<Refusal>, AwsError> {
    for place in places {
        let checked = check_connection(aws, place, roles, Urgency::Asked).await?;
        let mut failures = checked.verification.checks;
        failures.retain(|check| {
            check.status == CheckStatus::Failed && check.subject != Subject::Instance
        });
        if !failures.is_empty() {
            return Ok(Some(Refusal {
                instance: place.instance.id,
                name: place.instance.name.clone(),
                failures,
            }));
        }
    }
    Ok(None)
}
