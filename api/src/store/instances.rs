//! Amazon Connect instances as tenants registered them.

use jiff::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::{from_db, from_db_opt, to_db};
use super::{StoreError, TenantTx};
use crate::domain::ids::{ConnectionId, InstanceId};
use crate::domain::instance_arn::InstanceArn;

#[derive(Debug, Clone)]
pub struct Instance {
    pub id: InstanceId,
    pub connection_id: ConnectionId,
    pub arn: InstanceArn,
    pub name: String,
    /// Null until the tenant proved that it may speak for the instance.
    pub verified_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

#[derive(Debug)]
pub struct NewInstance<'a> {
    pub id: InstanceId,
    pub connection_id: ConnectionId,
    pub arn: &'a InstanceArn,
    pub name: &'a str,
    pub created_at: Timestamp,
}

struct Row {
    id: Uuid,
    connection_id: Uuid,
    instance_arn: String,
    name: String,
    verified_at: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
}

impl TryFrom<Row> for Instance {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let arn = row
            .instance_arn
            .parse()
            .map_err(|err| StoreError::Corrupt {
                what: "instances.instance_arn",
                detail: format!("{}: {err}", InstanceId(row.id)),
            })?;
        Ok(Self {
            id: InstanceId(row.id),
            connection_id: ConnectionId(row.connection_id),
            arn,
            name: row.name,
            verified_at: from_db_opt(row.verified_at)?,
            created_at: from_db(row.created_at)?,
        })
    }
}

impl TenantTx {
    /// Those of which the tenant has proved that they are its own.
    pub async fn instances_verified(&mut self) -> Result<Vec<Instance>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            "select id, connection_id, instance_arn, name, verified_at, created_at from instances
             where tenant_id = $1 and verified_at is not null order by id",
            tenant_id,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(Instance::try_from).collect()
    }

    pub async fn instance_insert(&mut self, new: &NewInstance<'_>) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "insert into instances (tenant_id, id, connection_id, instance_arn, region, name, created_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
            tenant_id,
            new.id.0,
            new.connection_id.0,
            new.arn.to_string(),
            new.arn.region(),
            new.name,
            to_db(new.created_at),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    pub async fn instance_get(&mut self, id: InstanceId) -> Result<Option<Instance>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select id, connection_id, instance_arn, name, verified_at, created_at from instances
             where tenant_id = $1 and id = $2",
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Instance::try_from).transpose()
    }

    /// The proof was given. Fails with `InstanceClaimed` when another tenant gave it before.
    pub async fn instance_mark_verified(
        &mut self,
        id: InstanceId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update instances set verified_at = $3 where tenant_id = $1 and id = $2",
            tenant_id,
            id.0,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// As [`Self::instance_get`], and nobody else changes it before this transaction ends.
    pub async fn instance_lock(&mut self, id: InstanceId) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query!(
            "select id from instances where tenant_id = $1 and id = $2 for update",
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row.is_some())
    }

    /// Deletes at most so many decisions of the instance, the oldest first; how many it were.
    pub async fn instance_delete_decisions(
        &mut self,
        id: InstanceId,
        most: i64,
    ) -> Result<u64, StoreError> {
        let tenant_id = self.tenant_id().0;
        let done = sqlx::query!(
            "delete from decisions where tenant_id = $1 and id in (
                 select id from decisions where tenant_id = $1 and instance_id = $2 order by at, id limit $3
             )",
            tenant_id,
            id.0,
            most,
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected())
    }

    /// Deletes an instance that has no decisions any more, with its own policy; its connection stays, so that the stack in
    /// the account can be used again.
    pub async fn instance_delete(&mut self, id: InstanceId) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        // Whoever puts a version of its policy waits for us, or we for them: a version would be left over.
        sqlx::query!(
            "select id from policies where tenant_id = $1 and instance_id = $2 for update",
            tenant_id,
            id.0
        )
        .fetch_optional(self.connection())
        .await?;
        sqlx::query!(
            "delete from deferred_notices where tenant_id = $1 and instance_id = $2",
            tenant_id,
            id.0
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "delete from notice_agents where tenant_id = $1 and instance_id = $2",
            tenant_id,
            id.0
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "delete from publications where tenant_id = $1 and instance_id = $2",
            tenant_id,
            id.0
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "delete from shard_assignments where tenant_id = $1 and instance_id = $2",
            tenant_id,
            id.0
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "delete from installations where tenant_id = $1 and instance_id = $2",
            tenant_id,
            id.0
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "delete from policy_versions where tenant_id = $1
                 and policy_id in (select id from policies where tenant_id = $1 and instance_id = $2)",
            tenant_id,
            id.0
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "delete from policies where tenant_id = $1 and instance_id = $2",
            tenant_id,
            id.0
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "delete from instances where tenant_id = $1 and id = $2",
            tenant_id,
            id.0
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
