//! What an operator sees and does of shards: how full they are, draining them, moving instances.

use jiff::Timestamp;
use time::OffsetDateTime;

use super::shards::{Leaving, Placement};
use super::time::{from_db, from_db_opt, to_db};
use super::{StoreError, SystemTx};
use crate::domain::ids::{InstanceId, TenantId};

/// A limiter function and what it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    pub function_arn: String,
    pub region: String,
    pub capacity: i64,
    /// Those on their way here included.
    pub instances: i64,
    pub arriving: i64,
    /// On their way to another function; they take a place here until then.
    pub leaving: i64,
    /// Named by the settings.
    pub in_service: bool,
    pub draining: bool,
}

/// An instance on its way to another function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardMove {
    pub tenant: TenantId,
    pub instance: InstanceId,
    pub to: String,
    pub leaving: Leaving,
}

/// What came of asking for a move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveAsked {
    Begun(ShardMove),
    /// Nothing is installed, so nothing can move.
    NotInstalled,
    UnderWay,
    /// It is there already.
    There,
    /// The region has no such function, or it takes no instances.
    NotAvailable,
    NoRoom,
}

struct MoveRow {
    tenant_id: uuid::Uuid,
    instance_id: uuid::Uuid,
    function_arn: String,
    leaving_arn: String,
    moving_since: OffsetDateTime,
    repointed_at: Option<OffsetDateTime>,
}

impl TryFrom<MoveRow> for ShardMove {
    type Error = StoreError;

    fn try_from(row: MoveRow) -> Result<Self, StoreError> {
        Ok(Self {
            tenant: TenantId(row.tenant_id),
            instance: InstanceId(row.instance_id),
            to: row.function_arn,
            leaving: Leaving {
                function_arn: row.leaving_arn,
                since: from_db(row.moving_since)?,
                repointed_at: from_db_opt(row.repointed_at)?,
            },
        })
    }
}

impl SystemTx {
    pub async fn shard_list(&mut self) -> Result<Vec<Shard>, StoreError> {
        let shards = sqlx::query_as!(
            Shard,
            r#"select s.function_arn, s.region, s.capacity::bigint as "capacity!", s.in_service, s.draining,
                   count(*) filter (where a.function_arn = s.function_arn) as "instances!",
                   count(*) filter (where a.function_arn = s.function_arn and a.leaving_arn is not null) as "arriving!",
                   count(*) filter (where a.leaving_arn = s.function_arn) as "leaving!"
               from shards s
               left join shard_assignments a on s.function_arn in (a.function_arn, a.leaving_arn)
               group by s.function_arn
               order by s.region, s.function_arn"#
        )
        .fetch_all(self.connection())
        .await?;
        Ok(shards)
    }

    pub async fn shard_get(&mut self, function_arn: &str) -> Result<Option<Shard>, StoreError> {
        let mut shards = self.shard_list().await?;
        shards.retain(|shard| shard.function_arn == function_arn);
        Ok(shards.pop())
    }

    /// Whether the function is to be emptied. What it serves is due for a look at once, which begins each move.
    pub async fn shard_drain(
        &mut self,
        function_arn: &str,
        draining: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "update shards set draining = $2 where function_arn = $1",
            function_arn,
            draining,
        )
        .execute(self.connection())
        .await?;
        if draining {
            sqlx::query!(
                "update installations i set looks_asked = looks_asked + 1, next_due_at = $2
                 from shard_assignments a
                 where a.function_arn = $1 and a.tenant_id = i.tenant_id and a.instance_id = i.instance_id
                     and i.state <> 'uninstalled'",
                function_arn,
                to_db(now),
            )
            .execute(self.connection())
            .await?;
        }
        Ok(())
    }

    /// Moves that are under way, the oldest first.
    pub async fn shard_move_list(&mut self) -> Result<Vec<ShardMove>, StoreError> {
        let rows = sqlx::query_as!(
            MoveRow,
            r#"select tenant_id, instance_id, function_arn, leaving_arn as "leaving_arn!",
                   moving_since as "moving_since!", repointed_at
               from shard_assignments where leaving_arn is not null order by moving_since, instance_id"#
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(ShardMove::try_from).collect()
    }

    /// Whose the instance is.
    pub async fn instance_owner(
        &mut self,
        instance: InstanceId,
    ) -> Result<Option<TenantId>, StoreError> {
        let owner =
            sqlx::query_scalar!("select tenant_id from instances where id = $1", instance.0)
                .fetch_optional(self.connection())
                .await?;
        Ok(owner.map(TenantId))
    }

    /// Begins to move an instance to this function, or to the one of its region that takes it first. A look at the
    /// installation is due at once.
    pub async fn shard_move(
        &mut self,
        tenant: TenantId,
        instance: InstanceId,
        to: Option<&str>,
        now: Timestamp,
    ) -> Result<MoveAsked, StoreError> {
        let Some(placed) = self.shard_placement(tenant, instance).await? else {
            return Ok(MoveAsked::NotInstalled);
        };
        let from = self.shard_get(&placed.function_arn).await?;
        let region = from.map(|shard| shard.region).unwrap_or_default();
        self.shards_lock(&region).await?;
        // As it is now that nobody else changes it.
        let Some(placed) = self.shard_placement(tenant, instance).await? else {
            return Ok(MoveAsked::NotInstalled);
        };
        if placed.leaving.is_some() {
            return Ok(MoveAsked::UnderWay);
        }
        let shards = self.shard_list().await?;
        let to = match choose(&shards, &placed, &region, to) {
            Ok(shard) => shard.function_arn.clone(),
            Err(refused) => return Ok(refused),
        };
        self.shard_move_begin(tenant, instance, &to, now).await?;
        sqlx::query!(
            "update installations set looks_asked = looks_asked + 1, attempts = 0, next_due_at = $3
             where tenant_id = $1 and instance_id = $2 and state <> 'uninstalled'",
            tenant.0,
            instance.0,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(MoveAsked::Begun(ShardMove {
            tenant,
            instance,
            to,
            leaving: Leaving {
                function_arn: placed.function_arn,
                since: now,
                repointed_at: None,
            },
        }))
    }
}

impl Shard {
    /// Places that nobody has.
    #[must_use]
    pub fn free(&self) -> i64 {
        self.capacity - self.instances - self.leaving
    }

    fn takes_instances(&self) -> bool {
        self.in_service && !self.draining
    }
}

/// The function that was named, or the fullest other one that has room.
fn choose<'s>(
    shards: &'s [Shard],
    placed: &Placement,
    region: &str,
    named: Option<&str>,
) -> Result<&'s Shard, MoveAsked> {
    let mut others = shards
        .iter()
        .filter(|shard| shard.region == region && shard.takes_instances());
    match named {
        Some(named) if named == placed.function_arn => Err(MoveAsked::There),
        Some(named) => {
            let shard = others.find(|shard| shard.function_arn == named);
            let shard = shard.ok_or(MoveAsked::NotAvailable)?;
            if shard.free() > 0 {
                Ok(shard)
            } else {
                Err(MoveAsked::NoRoom)
            }
        }
        None => others
            .filter(|shard| shard.function_arn != placed.function_arn && shard.free() > 0)
            .min_by_key(|shard| (shard.free(), shard.function_arn.clone()))
            .ok_or(MoveAsked::NoRoom),
    }
}
