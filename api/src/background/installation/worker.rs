//! Takes the installation that is due longest, runs a pass over it, and records where that has left it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::aws::{InvokePermission, Jitter};
use crate::background::backoff::backoff;
use crate::background::driver::Found;
use crate::background::publisher::effective_policy;
use crate::clock::{Clock, IdSource};
use crate::domain::drift::DriftKind;
use crate::domain::fallback::fallback_function_arn;
use crate::domain::installation::{InstallationState, OnLimiterUnavailable};
use crate::store::{ConnectionHealth, LeasedInstallation, PassResult, Store, StoreError};

use super::conditions::{Assessment, assess_without_shard, fails_what_was_verified, removal_told};
use super::desired::Desired;
use super::execute::StepError;
use super::given_up::GivenUp;
use super::journal::Journal;
use super::placing::{CALLS_END_WITHIN, former, standing};
use super::reach::Reach;
use super::{Reconciliation, emergency};

/// Two prolongations may fail before a lease is lost.
const HEARTBEATS: u32 = 3;

/// Works on installations.
#[derive(Debug, Clone)]
pub struct InstallationWorker<R> {
    pub store: Store,
    pub reach: R,
    pub jitter: Jitter,
    pub clock: Clock,
    pub ids: IdSource,
    /// How long after a finished pass the next look is due.
    pub period: Duration,
    /// How long a process that died keeps others waiting.
    pub lease: Duration,
    pub stop: CancellationToken,
}

impl<R: Reach> InstallationWorker<R> {
    /// Takes what is due and works on it.
    pub async fn look(&self) -> Result<Found, StoreError> {
        let Some((leased, journal)) = self.lease().await? else {
            return Ok(Found::Nothing);
        };
        self.work(&leased, &journal).await?;
        Ok(Found::Work)
    }

    pub(super) async fn lease(&self) -> Result<Option<(LeasedInstallation, Journal)>, StoreError> {
        let now = self.clock.now();
        let token = self.ids.uuid();
        let lease = SignedDuration::try_from(self.lease).unwrap_or(SignedDuration::MAX);
        let until = now.checked_add(lease).unwrap_or(Timestamp::MAX);
        let leased = self.store.installation_lease(token, now, until).await?;
        Ok(leased.map(|leased| {
            let journal = Journal {
                store: self.store.clone(),
                clock: self.clock.clone(),
                ids: self.ids.clone(),
                tenant: leased.tenant,
                instance: leased.installation.instance,
                generation: leased.installation.generation,
                token,
                lease,
            };
            (leased, journal)
        }))
    }

    /// One pass, with its result recorded.
    pub(super) async fn work(
        &self,
        leased: &LeasedInstallation,
        journal: &Journal,
    ) -> Result<(), StoreError> {
        let outcome = tokio::select! {
            outcome = Box::pin(self.pass(leased, journal)) => outcome,
            lost = keep_lease(journal, self.lease / HEARTBEATS) => Err(lost),
        };
        match outcome {
            Ok(assessment) => self.finish(leased, journal, &assessment).await,
            Err(err) => {
                tracing::warn!(instance.id = %journal.instance, error = %err, "installation pass without a result");
                self.give_up(leased, journal, &err).await
            }
        }
    }

    async fn pass(
        &self,
        leased: &LeasedInstallation,
        journal: &Journal,
    ) -> Result<Assessment, StepError> {
        if leased.installation.request.is_some() {
            return self.pass_over(leased, journal, false).await;
        }
        let abandoned = journal.is_abandoned().await?;
        let assessment = self.pass_over(leased, journal, abandoned).await?;
        let remembered = journal.remembered().await?;
        Ok(removal_told(assessment, &remembered, abandoned))
    }

    async fn pass_over(
        &self,
        leased: &LeasedInstallation,
        journal: &Journal,
        abandoned: bool,
    ) -> Result<Assessment, StepError> {
        let now = self.clock.now();
        let installation = &leased.installation;
        let region = leased.instance_arn.region();
        let wanted = installation.request.is_some();
        let (tenant, instance) = (leased.tenant, installation.instance);
        let placed = if wanted {
            self.store
                .shard_assign(tenant, instance, region, now)
                .await?
        } else {
            self.store.shard_placed(tenant, instance).await?
        };
        let placed = match (placed, wanted) {
            (Some(placed), _) => placed,
            (None, true) => {
                return Ok(assess_without_shard(
                    region,
                    &leased.check,
                    &installation.conditions,
                    now,
                ));
            }
            // Without a function nothing was ever installed.
            (None, false) => return Ok(nothing_installed(installation.conditions.clone())),
        };
        let mut emergency = Vec::new();
        if wanted {
            journal.activate_publication().await?;
            emergency = self.emergency(leased).await?;
        }
        let desired = Desired {
            instance_id: installation.instance.to_string(),
            function_arn: placed.function_arn.clone(),
            request: installation.request.clone(),
            fresh: installation.generation > installation.observed_generation,
            emergency,
            leaving: placed.leaving.as_ref().map(|leaving| former(leaving, now)),
            fallback_arn: fallback_arn(leased),
        };
        let permission = InvokePermission {
            function_arn: placed.function_arn.clone(),
            statement_id: installation.instance.to_string(),
            instance_arn: leased.instance_arn.to_string(),
            account_id: leased.instance_arn.account_id().to_owned(),
        };
        let reconciliation = Reconciliation {
            desired: &desired,
            permission: &permission,
            journal,
            conditions: &installation.conditions,
            shard: standing(&placed),
            connection: &leased.check,
            stop: &self.stop,
        };
        let permissions = self.reach.permissions(leased);
        let publish = self.reach.publish(leased.tenant, installation.instance);
        if abandoned {
            return reconciliation
                .run(&GivenUp, &permissions, &GivenUp, &publish)
                .await;
        }
        let connect = match self.reach.instance(leased).await {
            Ok(connect) => connect,
            Err(err) => return Ok(reconciliation.unseen(&err.into())),
        };
        let fallback = match self.reach.fallback(leased).await {
            Ok(fallback) => fallback,
            Err(err) => return Ok(reconciliation.unseen(&err.into())),
        };
        let outcome = tokio::select! {
            outcome = Box::pin(reconciliation.run(&connect, &permissions, &fallback, &publish)) => outcome,
            () = overdue(&self.stop) => Err(StepError::CutOff),
        };
        // What was refused may have been put right since this session began.
        if outcome
            .as_ref()
            .is_ok_and(|assessment| assessment.state == InstallationState::Blocked)
        {
            self.reach.forget(leased);
        }
        outcome
    }

    async fn emergency(&self, leased: &LeasedInstallation) -> Result<Vec<String>, StepError> {
        let source = self
            .store
            .publication_source(leased.tenant, leased.installation.instance)
            .await?;
        let Some(source) = source else {
            return Ok(Vec::new());
        };
        let policy = effective_policy(&source).map_err(|err| StoreError::Corrupt {
            what: "policy_versions.document",
            detail: format!("line {}, column {}", err.line(), err.column()),
        })?;
        Ok(emergency::spellings(&policy))
    }

    async fn finish(
        &self,
        leased: &LeasedInstallation,
        journal: &Journal,
        assessment: &Assessment,
    ) -> Result<(), StoreError> {
        let attempts = if assessment.reached || assessment.look_again {
            0
        } else {
            leased.attempts.saturating_add(1)
        };
        let wait = match (assessment.reached, assessment.state) {
            _ if assessment.look_again => Some(backoff(1, &self.jitter)),
            (true, InstallationState::Uninstalled) => None,
            (true, _) if self.is_moving(journal).await? => Some(self.period.min(CALLS_END_WITHIN)),
            (true, _) => Some(self.jitter.shorten(self.period)),
            (false, _) => Some(backoff(attempts, &self.jitter)),
        };
        tracing::info!(
            tenant.id = %journal.tenant,
            instance.id = %journal.instance,
            generation = journal.generation,
            state = assessment.state.as_str(),
            attempts,
            "installation pass done"
        );
        let is_disturbed = !assessment.reached || assessment.access_lost(&leased.check).is_some();
        if is_disturbed && self.access_changed(leased, journal).await? {
            return self.look_again(leased, journal).await;
        }
        self.record(leased, journal, assessment, attempts, wait)
            .await
    }

    async fn is_moving(&self, journal: &Journal) -> Result<bool, StoreError> {
        let (tenant, instance) = (journal.tenant, journal.instance);
        let placed = self.store.shard_placed(tenant, instance).await?;
        Ok(placed.is_some_and(|placed| placed.leaving.is_some()))
    }

    async fn record(
        &self,
        leased: &LeasedInstallation,
        journal: &Journal,
        assessment: &Assessment,
        attempts: u32,
        wait: Option<Duration>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let result = PassResult {
            generation: journal.generation,
            reached: assessment.reached,
            state: assessment.state,
            conditions: &assessment.conditions,
            attempts,
            next_due_at: wait.map_or(NEVER, |wait| later(now, wait)),
            looks_asked: leased.looks_asked,
        };
        let wanted = leased.installation.request.is_some();
        let mut tx = self.store.tenant(journal.tenant).await?;
        let finished = tx.installation_finish(journal.instance, journal.token, &result, now);
        if !finished.await? {
            return Ok(());
        }
        let was_reached = leased.installation.observed_generation == leased.installation.generation;
        // What is asked for has been verified: whatever a check finds was in order before. What only a step needs may never have
        // been permitted.
        let lost = assessment.access_lost(&leased.check).filter(|kind| {
            let was_there =
                *kind != DriftKind::RolePermissionLost || fails_what_was_verified(&leased.check);
            wanted && (was_reached || was_there)
        });
        journal.access_seen(&mut tx, lost).await?;
        if wanted {
            tx.coverage_begin_keeping(journal.instance, now).await?;
        } else if assessment.reached {
            tx.shard_free(journal.instance).await?;
        }
        // A role that refused what the last check had found in order.
        if leased.check.health == ConnectionHealth::Healthy
            && assessment.access_lost(&leased.check).is_some()
        {
            tx.instance_check_at(journal.instance, now).await?;
        }
        tx.commit().await
    }

    /// Gives the lease back. What stopped is due again at once, what failed after a pause; what was cut off once its lease has
    /// run out, and whatever it had sent has arrived.
    async fn give_up(
        &self,
        leased: &LeasedInstallation,
        journal: &Journal,
        err: &StepError,
    ) -> Result<(), StoreError> {
        if matches!(err, StepError::CutOff) {
            return Ok(());
        }
        if matches!(err, StepError::Stopped | StepError::LeaseLost) {
            let mut tx = self.store.tenant(journal.tenant).await?;
            tx.installation_release(journal.instance, journal.token)
                .await?;
            return tx.commit().await;
        }
        let assessment = Assessment {
            state: leased.installation.state,
            conditions: leased.installation.conditions.clone(),
            reached: false,
            look_again: false,
        };
        let attempts = leased.attempts.saturating_add(1);
        let wait = backoff(attempts, &self.jitter);
        self.record(leased, journal, &assessment, attempts, Some(wait))
            .await
    }
}

/// Where the tenant wants calls denied that the limiter says nothing of.
fn fallback_arn(leased: &LeasedInstallation) -> Option<String> {
    let request = leased.installation.request.as_ref()?;
    (request.on_limiter_unavailable == OnLimiterUnavailable::Deny)
        .then(|| fallback_function_arn(&leased.instance_arn, leased.connection))
}

/// Far enough for "not due again by itself" and still a time that Postgres and every client can show.
const NEVER: Timestamp = Timestamp::constant(253_370_764_800, 0);

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait)
        .ok()
        .and_then(|wait| now.checked_add(wait).ok())
        .unwrap_or(NEVER)
}

fn nothing_installed(conditions: Vec<crate::domain::installation::Condition>) -> Assessment {
    Assessment {
        state: InstallationState::Uninstalled,
        conditions,
        reached: true,
        look_again: false,
    }
}

/// Ends only when the lease is lost.
async fn keep_lease(journal: &Journal, heartbeat: Duration) -> StepError {
    loop {
        tokio::time::sleep(heartbeat).await;
        if let Err(err @ StepError::LeaseLost) = journal.hold_on().await {
            return err;
        }
    }
}

/// Ends when the process was told to stop and the step in hand takes longer than a stop may take. Being cut off is
/// harmless at any point.
async fn overdue(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
}
