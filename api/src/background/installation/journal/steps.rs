//! Steps: what each is about to change, and what it changed, in the audit log with the step's own record.

use serde_json::{Value, json};

use crate::domain::installation::StepStatus;
use crate::store::{Change, TenantTx};

use super::super::changes::{StepChange, action, unconfirmed};
use super::super::execute::StepError;
use super::super::plan::Step;
use super::Journal;

impl Journal {
    /// A worker died over these steps, or was overtaken: nobody knows what came of them.
    pub(super) async fn tell_interrupted(&self, tx: &mut TenantTx) -> Result<(), StepError> {
        for (step, change) in tx.installation_steps_interrupted(self.instance).await? {
            let member = |name| change.get(name).cloned().unwrap_or_default();
            let change = StepChange {
                before: member("before"),
                after: unconfirmed(member("after")),
            };
            self.tell(tx, &step, change).await?;
        }
        Ok(())
    }

    /// Puts a change into the audit log.
    async fn tell(
        &self,
        tx: &mut TenantTx,
        step: &str,
        change: StepChange,
    ) -> Result<(), StepError> {
        let Some(action) = action(step) else {
            return Ok(());
        };
        let some = |value: Value| (!value.is_null()).then_some(value);
        let change = Change {
            before: some(change.before),
            after: some(change.after),
            ..Change::by_worker(
                self.ids.uuid(),
                self.clock.now(),
                action,
                self.instance.to_string(),
            )
        };
        Ok(tx.audit_append(&change).await?)
    }

    /// Before a step: what it is about to change.
    pub async fn step_begun(
        &self,
        position: i32,
        change: Option<StepChange>,
    ) -> Result<(), StepError> {
        let mut tx = self.held().await?;
        if let Some(StepChange { before, after }) = change {
            let change = json!({ "before": before, "after": after });
            tx.installation_step_begin(self.instance, position, &change)
                .await?;
        }
        Ok(tx.commit().await?)
    }

    /// A step is done; what it changed goes into the audit log with that.
    pub async fn step_done(
        &self,
        position: i32,
        step: &Step,
        changed: Option<StepChange>,
    ) -> Result<(), StepError> {
        self.step_ended(position, step, changed, StepStatus::Done, "")
            .await
    }

    /// A step failed; what it changed, or may have, goes into the audit log with that.
    pub async fn step_failed(
        &self,
        position: i32,
        step: &Step,
        changed: Option<StepChange>,
        why: &str,
    ) -> Result<(), StepError> {
        self.step_ended(position, step, changed, StepStatus::Failed, why)
            .await
    }

    async fn step_ended(
        &self,
        position: i32,
        step: &Step,
        changed: Option<StepChange>,
        status: StepStatus,
        detail: &str,
    ) -> Result<(), StepError> {
        let now = self.clock.now();
        let mut tx = self.held().await?;
        tx.installation_step_end(self.instance, position, status, detail, now)
            .await?;
        if let Some(change) = changed {
            self.tell(&mut tx, step.name(), change).await?;
        }
        Ok(tx.commit().await?)
    }
}
