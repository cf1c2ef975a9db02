//! Limiter functions and which instances each of them serves.

use jiff::Timestamp;

use super::time::to_db;
use super::{Store, StoreError, TenantTx};
use crate::domain::ids::{InstanceId, TenantId};

/// A resource policy holds about 50 statements; the rest is slack.
pub const SHARD_CAPACITY: i32 = 40;

impl TenantTx {
    /// The function that serves this instance.
    pub async fn shard_assigned(
        &mut self,
        instance: InstanceId,
    ) -> Result<Option<String>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let assigned = sqlx::query_scalar!(
            "select function_arn from shard_assignments where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(assigned)
    }
}

impl Store {
    /// Makes the table show the functions of the settings, each with its region. A function that is no longer among
    /// them gets no new instances.
    pub async fn shard_sync(&self, functions: &[(String, String)]) -> Result<(), StoreError> {
        let mut tx = self.system("functions serve every tenant").await?;
        let arns: Vec<String> = functions.iter().map(|(arn, _)| arn.clone()).collect();
        sqlx::query!(
            "update shards set in_service = false where function_arn <> all($1)",
            &arns,
        )
        .execute(tx.connection())
        .await?;
        for (arn, region) in functions {
            sqlx::query!(
                "insert into shards (function_arn, region, capacity, in_service) values ($1, $2, $3, true)
                 on conflict on constraint shards_pkey do update
                 set region = excluded.region, capacity = excluded.capacity, in_service = true",
                arn,
                region,
                SHARD_CAPACITY,
            )
            .execute(tx.connection())
            .await?;
        }
        tx.commit().await
    }

    /// The function that serves this instance; the first time, the fullest one of its region that has room.
    /// `None`: none has.
    pub async fn shard_assign(
        &self,
        tenant: TenantId,
        instance: InstanceId,
        region: &str,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let mut tx = self.system("functions serve every tenant").await?;
        // Two assignments at once must not both take the last place.
        sqlx::query!(
            "select function_arn from shards where region = $1 order by function_arn for update",
            region
        )
        .fetch_all(tx.connection())
        .await?;
        let assigned = sqlx::query_scalar!(
            "select function_arn from shard_assignments where tenant_id = $1 and instance_id = $2",
            tenant.0,
            instance.0,
        )
        .fetch_optional(tx.connection())
        .await?;
        if assigned.is_some() {
            return Ok(assigned);
        }
        let chosen = sqlx::query_scalar!(
            "insert into shard_assignments (tenant_id, instance_id, function_arn, assigned_at)
             select $1, $2, s.function_arn, $4
             from shards s
             left join shard_assignments a on a.function_arn = s.function_arn
             where s.region = $3 and s.in_service
             group by s.function_arn, s.capacity
             having count(a.instance_id) < s.capacity
             order by count(a.instance_id) desc, s.function_arn
             limit 1
             returning function_arn",
            tenant.0,
            instance.0,
            region,
            to_db(now),
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(chosen)
    }

    pub async fn shard_assigned(
        &self,
        tenant: TenantId,
        instance: InstanceId,
    ) -> Result<Option<String>, StoreError> {
        let mut tx = self.tenant(tenant).await?;
        let assigned = tx.shard_assigned(instance).await?;
        tx.commit().await?;
        Ok(assigned)
    }

    /// Frees the instance's place.
    pub async fn shard_free(
        &self,
        tenant: TenantId,
        instance: InstanceId,
    ) -> Result<(), StoreError> {
        let mut tx = self.tenant(tenant).await?;
        sqlx::query!(
            "delete from shard_assignments where tenant_id = $1 and instance_id = $2",
            tenant.0,
            instance.0,
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }
}
