//! A pass in the middle of which the customer's roles, or their external ids, were changed.

use crate::store::{LeasedInstallation, PassResult, StoreError};

use super::InstallationWorker;
use super::journal::Journal;
use super::reach::Reach;

impl<R: Reach> InstallationWorker<R> {
    /// Other roles or external ids took the place of those that this pass went by.
    pub(super) async fn access_changed(
        &self,
        leased: &LeasedInstallation,
        journal: &Journal,
    ) -> Result<bool, StoreError> {
        let mut tx = self.store.tenant(journal.tenant).await?;
        let connection = tx.connection_get(leased.connection).await?;
        tx.commit().await?;
        Ok(connection.is_some_and(|connection| {
            connection.installer_role_arn != leased.installer_role_arn
                || connection.external_ids() != leased.external_ids
        }))
    }

    /// What the former roles refused is told to nobody: it says nothing of those that are there now.
    pub(super) async fn look_again(
        &self,
        leased: &LeasedInstallation,
        journal: &Journal,
    ) -> Result<(), StoreError> {
        tracing::info!(instance.id = %journal.instance, "the roles were changed during a pass; it is made again");
        let now = self.clock.now();
        let result = PassResult {
            generation: journal.generation,
            reached: false,
            state: leased.installation.state,
            conditions: &leased.installation.conditions,
            attempts: leased.attempts,
            next_due_at: now,
            looks_asked: leased.looks_asked,
        };
        let mut tx = self.store.tenant(journal.tenant).await?;
        tx.installation_finish(journal.instance, journal.token, &result, now)
            .await?;
        tx.commit().await
    }
}
