//! Flows that were ours, for as long as a queue may name them.

use super::{StoreError, TenantTx};
use crate::domain::ids::InstanceId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedFlow {
    pub flow_id: String,
    /// As in [`super::InstalledFlow`].
    pub key: String,
}

impl TenantTx {
    pub async fn deleted_flow_list(
        &mut self,
        instance: InstanceId,
    ) -> Result<Vec<DeletedFlow>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            DeletedFlow,
            "select flow_id, flow_key as key from deleted_flows where tenant_id = $1 and instance_id = $2 order by flow_id",
            tenant_id,
            instance.0,
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows)
    }

    pub async fn deleted_flow_put(
        &mut self,
        instance: InstanceId,
        flow_id: &str,
        key: &str,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "insert into deleted_flows (tenant_id, instance_id, flow_id, flow_key) values ($1, $2, $3, $4)
             on conflict on constraint deleted_flows_pkey do nothing",
            tenant_id,
            instance.0,
            flow_id,
            key,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// It is there after all, or no queue names it any more.
    pub async fn deleted_flow_forget(
        &mut self,
        instance: InstanceId,
        flow_id: &str,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "delete from deleted_flows where tenant_id = $1 and instance_id = $2 and flow_id = $3",
            tenant_id,
            instance.0,
            flow_id,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
