//! Drift: kept while it lasts, and told once.

use serde_json::json;

use crate::domain::drift::{Difference, DriftKind};
use crate::domain::ids::EventId;
use crate::domain::webhook::EventKind;
use crate::store::{NewEvent, StoreError, TenantTx};

use super::super::execute::StepError;
use super::super::plan::Plan;
use super::Journal;

impl Journal {
    /// What a look at the instance shows.
    pub(super) async fn drift_seen(
        &self,
        tx: &mut TenantTx,
        plan: &Plan,
    ) -> Result<(), StoreError> {
        let kinds: Vec<DriftKind> = DriftKind::of_instances().collect();
        self.keep(tx, &kinds, &plan.drift, &plan.drift_that_lasts())
            .await
    }

    /// Keeps what differs, and tells webhooks of what is new.
    async fn keep(
        &self,
        tx: &mut TenantTx,
        kinds: &[DriftKind],
        seen: &[Difference],
        lasts: &[(DriftKind, String)],
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let new = tx
            .drift_seen(self.instance, kinds, seen, lasts, now)
            .await?;
        for drift in new {
            let difference = &drift.difference;
            let subject = format!(
                "{} {} {} {}",
                self.instance,
                difference.kind.as_str(),
                difference.target,
                drift.since
            );
            let event = NewEvent {
                id: EventId(self.ids.uuid()),
                kind: EventKind::InstallationDrifted,
                subject: &subject,
                at: now,
                data: json!({
                    "instance_id": self.instance.to_string(),
                    "kind": difference.kind.as_str(),
                    "target": difference.target,
                    "name": difference.name,
                    "mended": difference.mended,
                    "message": difference.told(),
                }),
            };
            tx.event_put(&event).await?;
        }
        Ok(())
    }

    /// How the roles, which did serve, fail to; none: they do not.
    pub async fn access_seen(
        &self,
        tx: &mut TenantTx,
        lost: Option<DriftKind>,
    ) -> Result<(), StoreError> {
        let seen: Vec<Difference> = lost
            .map(|kind| Difference {
                kind,
                target: String::new(),
                name: String::new(),
                mended: false,
            })
            .into_iter()
            .collect();
        let kinds: Vec<DriftKind> = DriftKind::of_access().collect();
        self.keep(tx, &kinds, &seen, &[]).await
    }

    /// Every step was done: what was to be mended is.
    pub async fn drift_mended(&self, plan: &Plan) -> Result<(), StepError> {
        let mended = plan.drift_mended();
        if mended.is_empty() {
            return Ok(());
        }
        let mut tx = self.held().await?;
        tx.drift_end(self.instance, &mended, self.clock.now())
            .await?;
        Ok(tx.commit().await?)
    }
}
