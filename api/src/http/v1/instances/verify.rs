//! Proving that an instance is the tenant's, and that the two roles do what they must.

use axum::http::StatusCode;
use utoipa::ToSchema;

use super::body::Instance;
use crate::app::other_instances::Refusal;
use crate::app::record_verification::{GivenRoles, Verified, VerifyError, Verifying};
use crate::app::verify_instance::Check;
use crate::auth::ManageInstances;
use crate::domain::ids::InstanceId;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::fields::{Fields, FromFields};
use crate::http::once::OnceResult;
use crate::http::path::Id;
use crate::http::problem::{ApiError, Code, FieldFault};
use crate::http::v1::connections::Onboarding;
use crate::store::{Constraint, StoreError};

const ARN_MAX: usize = 2048;

#[derive(Debug, ToSchema)]
pub(super) struct VerificationRequest {
    /// The role that the template makes if not given.
    #[schema(example = "arn:aws:iam::111122223333:role/ringfence-installer")]
    installer_role_arn: Option<String>,
    /// The role that the template makes if not given.
    #[schema(example = "arn:aws:iam::111122223333:role/ringfence-runtime")]
    runtime_role_arn: Option<String>,
}

impl FromFields for VerificationRequest {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            installer_role_arn: fields.optional_text("installer_role_arn", ARN_MAX),
            runtime_role_arn: fields.optional_text("runtime_role_arn", ARN_MAX),
        })
    }
}

/// Verify an instance
///
/// Assumes both roles with the external id, makes sure that they refuse to be assumed without it or with another, looks
/// for the instance, and tries every permission harmlessly. Takes a while: Connect is asked a dozen questions, paced.
/// Roles other than the connection's take their place once they have passed, here and at every other instance of the
/// account with an installation; limiters go on knowing the former runtime role for an hour. A pending external id is taken up once both roles accept it.
/// When a check fails the answer is the problem `verification_failed`, with a pointer and a fix for each.
#[utoipa::path(
    post, path = "/v1/instances/{id}/verify", operation_id = "instances_verify", tag = "instances",
    security(("bearer" = [ManageInstances::NAME])),
    extensions(("x-errors" = json!(["conflict", "instance_claimed", "verification_failed", "aws_unavailable"]))),
    params(("id" = String, Path)), request_body = VerificationRequest, responses((status = 200, body = Instance))
)]
pub(in crate::http) async fn verify(
    caller: Caller<ManageInstances>,
    Id(id): Id<InstanceId>,
    Body(given): Body<VerificationRequest>,
) -> OnceResult {
    // Asked again at the end: in between the customer's account is talked to, which no transaction can wait for.
    drop(caller.begin_once().await?);
    let app = &caller.app;
    let given = GivenRoles {
        installer_role_arn: given.installer_role_arn,
        runtime_role_arn: given.runtime_role_arn,
    };
    let verifying = Verifying {
        store: &app.store,
        aws: &app.aws,
        clock: &app.clock,
        ids: &app.ids,
        tenant: caller.tenant.id,
        by: &caller.principal,
        instance: id,
        change: caller.change("instance.verify", id),
        check_period: app.settings.connection_check_period,
    };
    match verifying.run(&given).await.map_err(ApiError::from)? {
        Verified::Passed => {
            app.wake_ups.publications.wake();
            app.wake_ups.installations.wake();
        }
        Verified::Failed(verification) => {
            let faults = verification.failures().map(fault).collect();
            return Err(ApiError::verification(faults).into());
        }
        Verified::FailedElsewhere(refusal) => {
            return Err(ApiError::verification(elsewhere(&refusal)).into());
        }
        Verified::Overtaken => {
            return Err(ApiError::new(
                Code::Conflict,
                "the connection was changed while it was checked; verify again",
            )
            .into());
        }
        Verified::Claimed => return Err(StoreError::Constraint(Constraint::InstanceClaimed).into()),
    }
    let mut tx = caller.begin_once().await?;
    let view = tx
        .instance_view_get(id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let onboarding = Onboarding::of(app, view.instance.arn.region(), &view.connection);
    let instance = Instance::try_from(view)?.with_onboarding(onboarding);
    Ok(tx.answer(StatusCode::OK, &instance).await?)
}

fn fault(check: &Check) -> FieldFault {
    let detail = match &check.fix {
        Some(fix) => format!("{}. {fix}", check.detail),
        None => check.detail.clone(),
    };
    FieldFault::new(
        check.subject.pointer(),
        check.code.unwrap_or("failed"),
        detail,
    )
}

/// What was found at another instance than the one that the request is about.
fn elsewhere(refusal: &Refusal) -> Vec<FieldFault> {
    let place = format!(
        "at the instance \"{}\" ({}), which goes by the same roles",
        refusal.name, refusal.instance
    );
    let faults = refusal.failures.iter().map(fault);
    faults
        .map(|fault| FieldFault {
            detail: format!("{place}: {}", fault.detail),
            ..fault
        })
        .collect()
}

impl From<VerifyError> for ApiError {
    fn from(err: VerifyError) -> Self {
        match err {
            VerifyError::NoInstance => Self::not_found(),
            VerifyError::NoRole { pointer, .. } => {
                Self::validation(vec![FieldFault::new(pointer, "invalid", err.to_string())])
            }
            VerifyError::Aws(err) => err.into(),
            VerifyError::Refused(refused) => refused.into(),
            VerifyError::Store(err) => err.into(),
        }
    }
}
