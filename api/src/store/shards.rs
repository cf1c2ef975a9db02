//! Limiter functions and which instances each of them serves. An instance that moves takes a place on both functions.

use jiff::Timestamp;
use time::OffsetDateTime;

use super::time::{from_db_opt, to_db};
use super::{Store, StoreError, SystemTx, TenantTx};
use crate::domain::ids::{InstanceId, TenantId};

/// A resource policy holds about 50 statements; the rest is slack.
pub const SHARD_CAPACITY: i32 = 40;

/// Where an instance's calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    pub function_arn: String,
    /// The function it comes from, until the move is over.
    pub leaving: Option<Leaving>,
    /// Its function is being drained.
    pub is_draining: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    pub function_arn: String,
    pub since: Timestamp,
    /// Since when no flow calls it any more.
    pub repointed_at: Option<Timestamp>,
}

struct Row {
    function_arn: String,
    leaving_arn: Option<String>,
    moving_since: Option<OffsetDateTime>,
    repointed_at: Option<OffsetDateTime>,
    draining: bool,
}

impl TryFrom<Row> for Placement {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let leaving = match (row.leaving_arn, from_db_opt(row.moving_since)?) {
            (Some(function_arn), Some(since)) => Some(Leaving {
                function_arn,
                since,
                repointed_at: from_db_opt(row.repointed_at)?,
            }),
            _ => None,
        };
        Ok(Self {
            function_arn: row.function_arn,
            leaving,
            is_draining: row.draining,
        })
    }
}

impl TenantTx {
    /// No flow of the instance calls its former function any more.
    pub async fn shard_repointed(
        &mut self,
        instance: InstanceId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update shard_assignments set repointed_at = $3
             where tenant_id = $1 and instance_id = $2 and leaving_arn is not null and repointed_at is null",
            tenant_id,
            instance.0,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Frees the instance's place.
    pub async fn shard_free(&mut self, instance: InstanceId) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "delete from shard_assignments where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The move is over: the place on the former function is free.
    pub async fn shard_left(&mut self, instance: InstanceId) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update shard_assignments set leaving_arn = null, moving_since = null, repointed_at = null
             where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

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

    /// Where this instance's calls go: the first time, to the fullest function of its region that has room. One whose
    /// function is being drained begins to move as soon as another has room. `None`: none has.
    pub async fn shard_assign(
        &self,
        tenant: TenantId,
        instance: InstanceId,
        region: &str,
        now: Timestamp,
    ) -> Result<Option<Placement>, StoreError> {
        let mut tx = self.system("functions serve every tenant").await?;
        tx.shards_lock(region).await?;
        let placed = tx.shard_placement(tenant, instance).await?;
        let is_to_move = placed
            .as_ref()
            .is_some_and(|placed| placed.is_draining && placed.leaving.is_none());
        if placed.is_some() && !is_to_move {
            return Ok(placed);
        }
        let Some(chosen) = tx.shard_with_room(region).await? else {
            return Ok(placed);
        };
        if is_to_move {
            tx.shard_move_begin(tenant, instance, &chosen, now).await?;
        } else {
            sqlx::query!(
                "insert into shard_assignments (tenant_id, instance_id, function_arn, assigned_at) values ($1, $2, $3, $4)",
                tenant.0,
                instance.0,
                chosen,
                to_db(now),
            )
            .execute(tx.connection())
            .await?;
        }
        let placed = tx.shard_placement(tenant, instance).await?;
        tx.commit().await?;
        Ok(placed)
    }

    pub async fn shard_placed(
        &self,
        tenant: TenantId,
        instance: InstanceId,
    ) -> Result<Option<Placement>, StoreError> {
        let mut tx = self.system("functions serve every tenant").await?;
        let placed = tx.shard_placement(tenant, instance).await?;
        tx.commit().await?;
        Ok(placed)
    }
}

impl SystemTx {
    /// Two assignments at once must not both take the last place.
    pub async fn shards_lock(&mut self, region: &str) -> Result<(), StoreError> {
        sqlx::query!(
            "select function_arn from shards where region = $1 order by function_arn for update",
            region
        )
        .fetch_all(self.connection())
        .await?;
        Ok(())
    }

    pub async fn shard_placement(
        &mut self,
        tenant: TenantId,
        instance: InstanceId,
    ) -> Result<Option<Placement>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            "select a.function_arn, a.leaving_arn, a.moving_since, a.repointed_at, s.draining
             from shard_assignments a join shards s on s.function_arn = a.function_arn
             where a.tenant_id = $1 and a.instance_id = $2",
            tenant.0,
            instance.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Placement::try_from).transpose()
    }

    /// The fullest function of the region that takes instances and has room.
    async fn shard_with_room(&mut self, region: &str) -> Result<Option<String>, StoreError> {
        let chosen = sqlx::query_scalar!(
            "select s.function_arn
             from shards s
             left join shard_assignments a on s.function_arn in (a.function_arn, a.leaving_arn)
             where s.region = $1 and s.in_service and not s.draining
             group by s.function_arn, s.capacity
             having count(a.instance_id) < s.capacity
             order by count(a.instance_id) desc, s.function_arn
             limit 1",
            region,
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(chosen)
    }

    /// The instance's calls are to go to this function, which has room for it.
    pub(super) async fn shard_move_begin(
        &mut self,
        tenant: TenantId,
        instance: InstanceId,
        to: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "update shard_assignments
             set leaving_arn = function_arn, function_arn = $3, moving_since = $4, repointed_at = null
             where tenant_id = $1 and instance_id = $2",
            tenant.0,
            instance.0,
            to,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
