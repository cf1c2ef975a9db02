//! Brings an instance to what its tenant wants: flows, permission, queues; or takes all of it away.
//!
//! A pass looks at what is there, plans the steps in between, and does them one by one, each written down. Passes of
//! different processes never overlap on one installation (lease). Invariants and failures: see [`plan`] and [`execute`].

mod access_changed;
mod after_failure;
pub mod changes;
pub mod conditions;
mod crew;
pub mod desired;
mod emergency;
pub mod execute;
mod given_up;
pub mod journal;
pub mod observed;
mod placing;
pub mod plan;
pub mod reach;
pub mod unread;
mod worker;

use tokio_util::sync::CancellationToken;

use crate::aws::{ConnectInstance, FunctionPermissions, InvokePermission};
use crate::domain::installation::Condition;
use crate::store::InstanceCheck;

use after_failure::{is_held_back, queues_told};
use conditions::{Assessment, Pass, ShardStanding, assess, assess_unseen};
use desired::{Desired, Remembered};
use execute::{Executor, Publish, StepError};
use journal::Journal;
use observed::{Observed, observe};
use plan::{Plan, Step, plan, plan_without_instance};

pub use crew::Crew;
pub use reach::AwsReach;
pub use worker::InstallationWorker;

/// One pass over one installation that this process holds the lease of.
#[derive(Debug)]
pub struct Reconciliation<'a> {
    pub desired: &'a Desired,
    pub permission: &'a InvokePermission,
    pub journal: &'a Journal,
    pub conditions: &'a [Condition],
    pub shard: ShardStanding,
    /// What the last check of the connection found.
    pub connection: &'a InstanceCheck,
    /// Once cancelled, the step in hand is the last one.
    pub stop: &'a CancellationToken,
}

impl Reconciliation<'_> {
    /// Looks, plans and acts. An error means that the result must not be recorded by us.
    pub async fn run<C, F, G, P>(
        &self,
        connect: &C,
        permissions: &F,
        fallback: &G,
        publish: &P,
    ) -> Result<Assessment, StepError>
    where
        C: ConnectInstance,
        F: FunctionPermissions,
        G: FunctionPermissions,
        P: Publish,
    {
        let remembered = self.journal.remembered().await?;
        let granted = match permissions.is_granted(self.permission).await {
            Ok(granted) => granted,
            Err(err) => return Ok(self.unseen(&err.into())),
        };
        let seen = match observe(connect, self.desired, &remembered, granted, self.journal).await {
            Ok(seen) => seen,
            Err(err) => return Ok(self.unseen(&err.into())),
        };
        let Some(mut observed) = seen else {
            if self.desired.request.is_some() {
                let gone = StepError::Gone;
                return Ok(self.unseen(&gone));
            }
            let nothing = Observed::default();
            let plan = plan_without_instance(self.desired, &remembered, granted);
            let executor = Executor::new(
                connect,
                permissions,
                fallback,
                publish,
                self.journal,
                self.permission,
                &nothing,
            );
            return self.carry_out(&plan, &remembered, &nothing, executor).await;
        };
        observed.fallback_granted = match self.fallback_granted(fallback).await {
            Ok(granted) => granted,
            Err(err) => return Ok(self.unseen(&err)),
        };
        let plan = plan(self.desired, &remembered, &observed);
        let executor = Executor::new(
            connect,
            permissions,
            fallback,
            publish,
            self.journal,
            self.permission,
            &observed,
        );
        self.carry_out(&plan, &remembered, &observed, executor)
            .await
    }

    /// Of a role that may not look, the step that grants tells what it lacks.
    async fn fallback_granted<G: FunctionPermissions>(
        &self,
        fallback: &G,
    ) -> Result<Option<bool>, StepError> {
        let Some(function_arn) = &self.desired.fallback_arn else {
            return Ok(None);
        };
        let permission = self.permission.to_invoke(function_arn);
        match fallback.is_granted(&permission).await {
            Err(err) if err.is_retryable() => Err(StepError::Fallback(err)),
            answer => Ok(answer.ok()),
        }
    }

    /// The pass ended before anything could be seen.
    #[must_use]
    pub fn unseen(&self, err: &StepError) -> Assessment {
        assess_unseen(
            self.desired.request.is_some(),
            self.shard,
            self.connection,
            err,
            self.conditions,
            self.journal.clock.now(),
        )
    }

    async fn carry_out<C, F, G, P>(
        &self,
        plan: &Plan,
        remembered: &Remembered,
        observed: &Observed,
        mut executor: Executor<'_, C, F, G, P>,
    ) -> Result<Assessment, StepError>
    where
        C: ConnectInstance,
        F: FunctionPermissions,
        G: FunctionPermissions,
        P: Publish,
    {
        let first = self.journal.planned(plan, remembered, observed).await?;
        let mut failures: Vec<(&Step, StepError)> = Vec::new();
        let mut held_back: Vec<&Step> = Vec::new();
        for (position, step) in (first..).zip(&plan.steps) {
            if is_held_back(&failures, &held_back, step) {
                held_back.push(step);
                continue;
            }
            if self.stop.is_cancelled() {
                return Err(StepError::Stopped);
            }
            self.journal
                .step_begun(position, executor.change(step))
                .await?;
            match Box::pin(executor.execute(step)).await {
                Ok(()) => {
                    let changed = executor.changed(step, true);
                    self.journal.step_done(position, step, changed).await?;
                }
                Err(err @ StepError::LeaseLost) => return Err(err),
                Err(err) => {
                    let (_, message) = conditions::words(&err);
                    let changed = executor.changed(step, false);
                    self.journal
                        .step_failed(position, step, changed, &message)
                        .await?;
                    failures.push((step, err));
                }
            }
        }
        if failures.is_empty() {
            self.journal.drift_mended(plan).await?;
        }
        let mut told = queues_told(&failures, &held_back);
        told.extend(plan.unread_told());
        self.journal.queues_told(&told).await?;
        let pass = Pass {
            installed_wanted: self.desired.request.is_some(),
            shard: self.shard,
            connection: self.connection,
            plan,
            failures: &failures,
            held_back: &held_back,
        };
        Ok(assess(&pass, self.conditions, self.journal.clock.now()))
    }
}
