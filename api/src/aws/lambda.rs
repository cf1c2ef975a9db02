//! Who may invoke a limiter function: one statement per instance, never an open principal.
//!
//! Invariants: a function's policy is changed by one process at a time, since Lambda loses one of two changes that are made at
//! once; only a statement that was read back counts as granted; every request takes its turn in the function's account.
//! Failure: a change that cannot be made alone within a few seconds fails as one that is worth another try.

use std::future::Future;
use std::time::Duration;

use aws_sdk_lambda::Client;
use tokio::time::{Instant, sleep, timeout};

use super::Jitter;
use super::error::{AwsError, AwsErrorKind};
use super::invoke_statement::{ACTION, PRINCIPAL, Standing};
use super::pacing::Pacer;
use crate::domain::pace::{Place, Quota, Urgency};
use crate::store::{Store, StoreError};

const READ: &str = "lambda:GetPolicy";
const ADD: &str = "lambda:AddPermission";
const REMOVE: &str = "lambda:RemovePermission";

/// How long a process that died keeps others from a function's policy.
const LEASE: Duration = Duration::from_secs(15);
/// Two prolongations may fail before a lease is lost.
const HEARTBEATS: u32 = 3;
/// A change takes about a second; whoever waits longer comes again with the next pass.
const ALONE_WITHIN: Duration = Duration::from_secs(10);
const ALONE_PAUSE: Duration = Duration::from_millis(250);

/// The permission for one instance to invoke one limiter function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvokePermission {
    pub function_arn: String,
    /// Derived from the instance, so that adding twice is noticed and harmless.
    pub statement_id: String,
    pub instance_arn: String,
    pub account_id: String,
}

impl InvokePermission {
    /// The same for another function.
    #[must_use]
    pub fn to_invoke(&self, function_arn: &str) -> Self {
        Self {
            function_arn: function_arn.to_owned(),
            ..self.clone()
        }
    }
}

/// The resource policies of functions of one account and region: of the limiter's, or of a customer's fallback.
pub trait FunctionPermissions: Send + Sync {
    fn is_granted(
        &self,
        permission: &InvokePermission,
    ) -> impl Future<Output = Result<bool, AwsError>> + Send;
    /// Adding what is there already is success. What has its id and says something else is replaced.
    fn grant(
        &self,
        permission: &InvokePermission,
    ) -> impl Future<Output = Result<(), AwsError>> + Send;
    /// Removing what is gone already is success.
    fn revoke(
        &self,
        function_arn: &str,
        statement_id: &str,
    ) -> impl Future<Output = Result<(), AwsError>> + Send;
}

/// [`FunctionPermissions`] through the SDK.
#[derive(Debug, Clone)]
pub struct SdkFunctionPermissions {
    pub(super) client: Client,
    pub(super) store: Store,
    pub(super) jitter: Jitter,
    pub(super) requests_per_second: f64,
    pub(super) urgency: Urgency,
}

impl FunctionPermissions for SdkFunctionPermissions {
    async fn is_granted(&self, permission: &InvokePermission) -> Result<bool, AwsError> {
        Ok(self.standing(permission).await? == Standing::Granted)
    }

    async fn grant(&self, permission: &InvokePermission) -> Result<(), AwsError> {
        let function_arn = &permission.function_arn;
        let statement_id = &permission.statement_id;
        let change = async {
            match self.add(permission).await {
                // The statement is there, or somebody else changes the policy at this moment.
                Err(err) if err.kind == AwsErrorKind::Duplicate => {}
                added => return added,
            }
            if self.standing(permission).await? == Standing::Other {
                self.remove(function_arn, statement_id).await?;
                return self.add(permission).await.map_err(unsure);
            }
            Ok(())
        };
        let granted = async {
            change.await?;
            self.read_back(permission).await.map_err(unsure)
        };
        let granted = Box::pin(granted);
        self.alone(ADD, function_arn, statement_id, granted).await
    }

    async fn revoke(&self, function_arn: &str, statement_id: &str) -> Result<(), AwsError> {
        let change = Box::pin(self.remove(function_arn, statement_id));
        self.alone(REMOVE, function_arn, statement_id, change).await
    }
}

impl SdkFunctionPermissions {
    async fn add(&self, permission: &InvokePermission) -> Result<(), AwsError> {
        self.pacer(&permission.function_arn)
            .send(ADD, Quota::FunctionChanges, || async {
                self.client
                    .add_permission()
                    .function_name(&permission.function_arn)
                    .statement_id(&permission.statement_id)
                    .action(ACTION)
                    .principal(PRINCIPAL)
                    .source_account(&permission.account_id)
                    .source_arn(&permission.instance_arn)
                    .send()
                    .await
                    .map(drop)
                    .map_err(|err| AwsError::from_sdk(ADD, &err))
            })
            .await
    }

    async fn remove(&self, function_arn: &str, statement_id: &str) -> Result<(), AwsError> {
        let removed = self
            .pacer(function_arn)
            .send(REMOVE, Quota::FunctionChanges, || async {
                self.client
                    .remove_permission()
                    .function_name(function_arn)
                    .statement_id(statement_id)
                    .send()
                    .await
                    .map(drop)
                    .map_err(|err| passing(AwsError::from_sdk(REMOVE, &err)))
            })
            .await;
        match removed {
            Err(err) if err.kind != AwsErrorKind::NotFound => Err(err),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    async fn standing(&self, permission: &InvokePermission) -> Result<Standing, AwsError> {
        self.pacer(&permission.function_arn)
            .send(READ, Quota::FunctionPolicyReads, || {
                self.standing_once(permission)
            })
            .await
    }

    /// What was just added may not show at once: it is looked for a few times.
    async fn read_back(&self, permission: &InvokePermission) -> Result<(), AwsError> {
        self.pacer(&permission.function_arn)
            .send(READ, Quota::FunctionPolicyReads, || async {
                match self.standing_once(permission).await? {
                    Standing::Granted => Ok(()),
                    Standing::Absent | Standing::Other => Err(AwsError::transient(
                        ADD,
                        "the function's policy does not show the statement",
                    )),
                }
            })
            .await
    }

    async fn standing_once(&self, permission: &InvokePermission) -> Result<Standing, AwsError> {
        let answer = self
            .client
            .get_policy()
            .function_name(&permission.function_arn)
            .send()
            .await
            .map_err(|err| AwsError::from_sdk(READ, &err));
        match answer {
            Ok(output) => Ok(output
                .policy()
                .map_or(Standing::Absent, |policy| Standing::of(permission, policy))),
            Err(err) if err.kind == AwsErrorKind::NotFound => Ok(Standing::Absent),
            Err(err) => Err(err),
        }
    }

    /// Makes a change while nobody else makes one of the same function's policy.
    async fn alone<T>(
        &self,
        action: &'static str,
        function_arn: &str,
        statement_id: &str,
        change: impl Future<Output = Result<T, AwsError>>,
    ) -> Result<T, AwsError> {
        let taken = async {
            while !self.lease(function_arn, statement_id).await? {
                sleep(self.jitter.spread(ALONE_PAUSE)).await;
            }
            Ok::<_, StoreError>(())
        };
        match timeout(ALONE_WITHIN, taken).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => {
                let message = "Ringfence's database did not say who changes the function's policy";
                return Err(AwsError::not_sent(action, message));
            }
            Err(_) => {
                let message = "others are changing the function's policy";
                return Err(AwsError::not_sent(action, message));
            }
        }
        let outcome = tokio::select! {
            outcome = change => outcome,
            () = self.lease_lost(function_arn, statement_id) => {
                let message = "the function's policy could not be kept from others";
                Err(AwsError::transient(action, message))
            }
        };
        let released = self
            .store
            .function_policy_release(function_arn, statement_id);
        if let Err(err) = released.await {
            tracing::warn!(error = %err, function_arn, "others wait for the end of a lease");
        }
        outcome
    }

    async fn lease(&self, function_arn: &str, statement_id: &str) -> Result<bool, StoreError> {
        self.store
            .function_policy_lease(function_arn, statement_id, LEASE)
            .await
    }

    /// Prolongs the lease until that fails for as long as one lasts.
    async fn lease_lost(&self, function_arn: &str, statement_id: &str) {
        let mut ends = Instant::now() + LEASE;
        while Instant::now() < ends {
            sleep(LEASE / HEARTBEATS).await;
            match self.lease(function_arn, statement_id).await {
                Ok(true) => ends = Instant::now() + LEASE,
                Ok(false) => return,
                Err(_) => {}
            }
        }
    }

    /// The turns of the account and region that the function is in.
    fn pacer(&self, function_arn: &str) -> Pacer {
        let part = |index| function_arn.split(':').nth(index).unwrap_or_default();
        Pacer {
            store: self.store.clone(),
            jitter: self.jitter.clone(),
            place: Place {
                account_id: part(4).to_owned(),
                region: part(3).to_owned(),
            },
            requests_per_second: self.requests_per_second,
            urgency: self.urgency,
        }
    }
}

/// Lambda answers a conflict also while another change of the function is under way.
fn passing(err: AwsError) -> AwsError {
    match err.kind {
        AwsErrorKind::Duplicate => AwsError {
            kind: AwsErrorKind::Transient,
            ..err
        },
        _ => err,
    }
}

/// Something was changed before this failed: whatever it was, nobody can tell what is there now.
fn unsure(err: AwsError) -> AwsError {
    AwsError {
        kind: AwsErrorKind::Transient,
        ..err
    }
}
