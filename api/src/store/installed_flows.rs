//! The flows of ours in an instance, and the function that they fall back to.

use super::{StoreError, TenantTx};
use crate::domain::ids::InstanceId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledFlow {
    /// `notice`, `whisper`, or `whisper:` and the id of the customer's whisper behind it.
    pub key: String,
    pub flow_id: String,
    pub name: String,
    pub content_sha256: String,
    /// The service's digest of what was published, where it gave one.
    pub service_sha256: Option<String>,
    /// Digest of what the flow does, as last published.
    pub actions_sha256: Option<String>,
    /// The same of what is about to be published.
    pub sending_sha256: Option<String>,
    /// We are deleting it, or have done so and never heard of it.
    pub removing: bool,
}

impl TenantTx {
    pub async fn installed_flow_list(
        &mut self,
        instance: InstanceId,
    ) -> Result<Vec<InstalledFlow>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            InstalledFlow,
            "select flow_key as key, flow_id, name, content_sha256, service_sha256, actions_sha256, sending_sha256, removing
             from installed_flows where tenant_id = $1 and instance_id = $2 order by flow_key",
            tenant_id,
            instance.0,
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows)
    }

    /// Writes the flow; true when its id is another than before. One that it takes the place of counts as deleted.
    pub async fn installed_flow_put(
        &mut self,
        instance: InstanceId,
        flow: &InstalledFlow,
    ) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let before = sqlx::query_scalar!(
            "select flow_id from installed_flows where tenant_id = $1 and instance_id = $2 and flow_key = $3",
            tenant_id,
            instance.0,
            flow.key,
        )
        .fetch_optional(self.connection())
        .await?;
        let is_another = before.as_deref() != Some(&flow.flow_id);
        if let Some(replaced) = before.filter(|_| is_another) {
            self.deleted_flow_put(instance, &replaced, &flow.key)
                .await?;
        }
        sqlx::query!(
            "insert into installed_flows
                 (tenant_id, instance_id, flow_key, flow_id, name, content_sha256, service_sha256, actions_sha256)
             values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict on constraint installed_flows_pkey do update
             set flow_id = excluded.flow_id, name = excluded.name, content_sha256 = excluded.content_sha256,
                 service_sha256 = excluded.service_sha256, actions_sha256 = excluded.actions_sha256, sending_sha256 = null,
                 removing = false",
            tenant_id,
            instance.0,
            flow.key,
            flow.flow_id,
            flow.name,
            flow.content_sha256,
            flow.service_sha256,
            flow.actions_sha256,
        )
        .execute(self.connection())
        .await?;
        Ok(is_another)
    }

    /// Before other content of it is published: what that does, and what the content does that is there now, where it is ours.
    pub async fn installed_flow_sending(
        &mut self,
        instance: InstanceId,
        flow_id: &str,
        sending_sha256: &str,
        actions_sha256: Option<&str>,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update installed_flows set sending_sha256 = $4, actions_sha256 = coalesce($5, actions_sha256)
             where tenant_id = $1 and instance_id = $2 and flow_id = $3",
            tenant_id,
            instance.0,
            flow_id,
            sending_sha256,
            actions_sha256,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Before it is deleted. `false`: it stays after all.
    pub async fn installed_flow_removing(
        &mut self,
        instance: InstanceId,
        flow_id: &str,
        removing: bool,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update installed_flows set removing = $4 where tenant_id = $1 and instance_id = $2 and flow_id = $3",
            tenant_id,
            instance.0,
            flow_id,
            removing,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    pub async fn installed_flow_forget(
        &mut self,
        instance: InstanceId,
        flow_id: &str,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "delete from installed_flows where tenant_id = $1 and instance_id = $2 and flow_id = $3",
            tenant_id,
            instance.0,
            flow_id,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The fallback function that the instance may invoke, or was about to be let.
    pub async fn installation_fallback(
        &mut self,
        instance: InstanceId,
    ) -> Result<Option<String>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let function_arn = sqlx::query_scalar!(
            "select fallback_function_arn from installations where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(function_arn.flatten())
    }

    pub async fn installation_fallback_set(
        &mut self,
        instance: InstanceId,
        function_arn: Option<&str>,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update installations set fallback_function_arn = $3 where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
            function_arn,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
