//! How far an installation has come, queue by queue and flow by flow, towards the state last asked for.

use std::collections::BTreeSet;

use super::{StoreError, TenantTx};
use crate::domain::ids::InstanceId;

/// What a generation has reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// By id.
    pub queues: BTreeSet<String>,
    /// By key.
    pub flows: BTreeSet<String>,
    /// The instance was looked at in this generation.
    pub looked: bool,
    /// Queues that no look of this generation could read, by id.
    pub unseen: BTreeSet<String>,
    /// The fallback function was seen to admit the instance in this generation.
    pub fallback: bool,
}

impl TenantTx {
    pub async fn installation_settled(
        &mut self,
        instance: InstanceId,
        generation: u64,
    ) -> Result<Settled, StoreError> {
        let tenant_id = self.tenant_id().0;
        let generation = to_db(generation);
        let queues = sqlx::query_scalar!(
            "select queue_id from installation_queues
             where tenant_id = $1 and instance_id = $2 and settled_generation = $3",
            tenant_id,
            instance.0,
            generation,
        )
        .fetch_all(self.connection())
        .await?;
        let flows = sqlx::query_scalar!(
            "select flow_key from installed_flows
             where tenant_id = $1 and instance_id = $2 and settled_generation = $3",
            tenant_id,
            instance.0,
            generation,
        )
        .fetch_all(self.connection())
        .await?;
        let mut settled = Settled {
            queues: queues.into_iter().collect(),
            flows: flows.into_iter().collect(),
            ..Settled::default()
        };
        let row = sqlx::query!(
            "select looked_generation, unseen_queue_ids, fallback_generation from installations
             where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
        )
        .fetch_optional(self.connection())
        .await?;
        if let Some(row) = row {
            settled.fallback = row.fallback_generation == generation;
            if row.looked_generation == generation {
                settled.looked = true;
                settled.unseen = row.unseen_queue_ids.into_iter().collect();
            }
        }
        Ok(settled)
    }

    /// The fallback function admits the instance, as this generation has it.
    pub async fn installation_fallback_settle(
        &mut self,
        instance: InstanceId,
        generation: u64,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update installations set fallback_generation = $3 where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
            to_db(generation),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// These queues, by id, are as this generation has them.
    pub async fn installation_queues_settle(
        &mut self,
        instance: InstanceId,
        generation: u64,
        queue_ids: &[String],
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update installation_queues set settled_generation = $3
             where tenant_id = $1 and instance_id = $2 and queue_id = any($4)",
            tenant_id,
            instance.0,
            to_db(generation),
            queue_ids,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// These flows, by key, are as this generation has them.
    pub async fn installed_flows_settle(
        &mut self,
        instance: InstanceId,
        generation: u64,
        keys: &[String],
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update installed_flows set settled_generation = $3
             where tenant_id = $1 and instance_id = $2 and flow_key = any($4)",
            tenant_id,
            instance.0,
            to_db(generation),
            keys,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

pub(super) fn to_db(generation: u64) -> i64 {
    i64::try_from(generation).unwrap_or(i64::MAX)
}
