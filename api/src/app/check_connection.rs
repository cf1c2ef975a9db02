//! One check of a connection in one of its instances: the roles, and what is under way with their external ids.
//!
//! Invariant: a pending external id is taken for good only once both roles accept it and all that must pass passes with
//! it. Failure: an error means that AWS could not be asked, and says nothing of the connection.

use crate::aws::{Aws, AwsError, AwsErrorKind, InstanceAccess};
use crate::domain::fallback::fallback_function_arn;
use crate::domain::installation::OnLimiterUnavailable;
use crate::domain::pace::Urgency;
use crate::store::{Connection, Instance, StoreError, TenantTx};

use super::verify_instance::{Check, Fallback, Roles, Subject, Verification, verify_instance};

/// Where a connection is checked.
#[derive(Debug, Clone)]
pub struct Place {
    pub instance: Instance,
    pub connection: Connection,
    wants_fallback: bool,
}

impl Place {
    /// As it is now.
    pub async fn load(
        tx: &mut TenantTx,
        instance: Instance,
        connection: Connection,
    ) -> Result<Self, StoreError> {
        let installation = tx.installation_get(instance.id).await?;
        let request = installation.and_then(|installation| installation.request);
        let unavailable = request.map(|request| request.on_limiter_unavailable);
        Ok(Self {
            instance,
            connection,
            wants_fallback: unavailable == Some(OnLimiterUnavailable::Deny),
        })
    }

    fn fallback(&self) -> Fallback {
        Fallback {
            function_arn: fallback_function_arn(&self.instance.arn, self.connection.id),
            wanted: self.wants_fallback,
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub verification: Verification,
    /// Both roles accept the pending external id.
    pub pending_accepted: bool,
    /// Both roles refuse the former external id.
    pub former_refused: bool,
}

impl Checked {
    /// Nothing speaks against using the pending external id from now on.
    #[must_use]
    pub fn promotes_pending(&self) -> bool {
        self.pending_accepted && self.verification.passed()
    }
}

/// The two roles that are checked: the connection's own, or those that are to take their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleArns {
    pub installer: String,
    pub runtime: String,
}

impl RoleArns {
    #[must_use]
    pub fn of(connection: &Connection) -> Self {
        Self {
            installer: connection.installer_role_arn.clone(),
            runtime: connection.runtime_role_arn.clone(),
        }
    }

    #[must_use]
    pub fn are_of(&self, connection: &Connection) -> bool {
        *self == Self::of(connection)
    }
}

pub async fn check_connection(
    aws: &Aws,
    place: &Place,
    roles: &RoleArns,
    urgency: Urgency,
) -> Result<Checked, AwsError> {
    let (connection, arn) = (&place.connection, &place.instance.arn);
    let with = |external_id: &String| {
        let access = |role_arn: &String| InstanceAccess {
            instance_arn: arn.clone(),
            role_arn: role_arn.clone(),
            external_id: external_id.clone(),
        };
        Roles {
            installer: access(&roles.installer),
            runtime: access(&roles.runtime),
        }
    };
    let pending = match &connection.pending_external_id {
        Some(id) if Accepted::of(aws, &with(id)).await? == Accepted::Both => Some(id),
        _ => None,
    };
    let present = with(pending.unwrap_or(&connection.external_id));
    let mut verification =
        Box::pin(verify_instance(aws, &present, &place.fallback(), urgency)).await?;
    if connection.pending_external_id.is_some() && pending.is_none() {
        verification.checks.push(pending_check());
    }
    let mut former_refused = false;
    if let Some(former) = &connection.former_external_id {
        former_refused = Accepted::of(aws, &with(former)).await? == Accepted::Neither;
        if !former_refused {
            verification.checks.push(former_check());
        }
    }
    Ok(Checked {
        verification,
        pending_accepted: pending.is_some(),
        former_refused,
    })
}

/// Which of the roles let us in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accepted {
    Both,
    One,
    Neither,
}

impl Accepted {
    async fn of(aws: &Aws, roles: &Roles) -> Result<Self, AwsError> {
        let by_installer = is_accepted(aws, &roles.installer).await?;
        let by_runtime = is_accepted(aws, &roles.runtime).await?;
        Ok(match (by_installer, by_runtime) {
            (true, true) => Self::Both,
            (false, false) => Self::Neither,
            (true, false) | (false, true) => Self::One,
        })
    }
}

async fn is_accepted(aws: &Aws, access: &InstanceAccess) -> Result<bool, AwsError> {
    match aws.try_assume(access, Some(&access.external_id)).await {
        Ok(()) => Ok(true),
        Err(err) if err.kind == AwsErrorKind::AccessDenied => Ok(false),
        Err(err) => Err(err),
    }
}

fn pending_check() -> Check {
    Check::warning(
        "pending_external_id",
        Subject::InstallerRole,
        "the roles do not both accept the pending external id yet; the present one goes on being used",
        "Update the stack with the parameters of the onboarding: they name both external ids.",
    )
}

fn former_check() -> Check {
    Check::warning(
        "former_external_id",
        Subject::InstallerRole,
        "the new external id is in use, and the roles still accept the former one",
        "Update the stack with the parameters of the onboarding: they name the new external id alone.",
    )
}
