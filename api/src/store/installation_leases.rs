//! Which process works on an installation, and where a pass has left it.
//!
//! A lease is a token with an end. Whatever the worker writes, it writes in a transaction that first holds the lease, so
//! that a process that was overtaken writes nothing.

use jiff::Timestamp;
use uuid::Uuid;

use super::installation_documents::write_conditions;
use super::installations::{Installation, Row};
use super::time::{from_db_opt, to_db};
use super::{ConnectionHealth, InstanceCheck, Store, StoreError, TenantTx};
use crate::domain::ids::{ConnectionId, InstanceId, TenantId};
use crate::domain::installation::{Condition, InstallationState};
use crate::domain::instance_arn::InstanceArn;

/// An installation that this process may work on until the lease ends.
#[derive(Debug, Clone)]
pub struct LeasedInstallation {
    pub tenant: TenantId,
    pub installation: Installation,
    pub attempts: u32,
    pub instance_arn: InstanceArn,
    pub connection: ConnectionId,
    pub installer_role_arn: String,
    /// Those that the role may accept, the present one first.
    pub external_ids: Vec<String>,
    /// What the last check of the connection found in this instance.
    pub check: InstanceCheck,
    /// Wishes to look that were there when the pass began.
    pub looks_asked: i64,
}

/// Where a pass has left an installation.
#[derive(Debug)]
pub struct PassResult<'a> {
    /// The generation that the pass worked for.
    pub generation: u64,
    pub reached: bool,
    pub state: InstallationState,
    pub conditions: &'a [Condition],
    pub attempts: u32,
    pub next_due_at: Timestamp,
    /// As when the pass began; a wish that came later makes the next look due at once.
    pub looks_asked: i64,
}

impl TenantTx {
    /// Prolongs the lease. False: it is somebody else's.
    pub async fn installation_hold(
        &mut self,
        instance: InstanceId,
        token: Uuid,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let held = sqlx::query!(
            "update installations set lease_expires_at = $4 where tenant_id = $1 and instance_id = $2 and lease_token = $3",
            tenant_id,
            instance.0,
            token,
            to_db(until),
        )
        .execute(self.connection())
        .await?;
        Ok(held.rows_affected() == 1)
    }

    /// Records a pass and gives the lease back. What was asked for meanwhile stays due. False: the lease is somebody else's,
    /// and nothing was recorded.
    pub async fn installation_finish(
        &mut self,
        instance: InstanceId,
        token: Uuid,
        result: &PassResult<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let generation = i64::try_from(result.generation).unwrap_or(i64::MAX);
        let finished = sqlx::query!(
            "update installations set
                 observed_generation = case when $5 then greatest(observed_generation, $4) else observed_generation end,
                 state = case when generation = $4 then $6 else state end,
                 conditions = $7,
                 attempts = case when generation = $4 then $8 else 0 end,
                 next_due_at = case when generation = $4 and looks_asked = $11 then $9::timestamptz
                                    else $10::timestamptz end,
                 looked = null, to_look = null, lease_token = null, lease_expires_at = null, updated_at = $10
             where tenant_id = $1 and instance_id = $2 and lease_token = $3",
            tenant_id,
            instance.0,
            token,
            generation,
            result.reached,
            result.state.as_str(),
            write_conditions(result.conditions),
            i32::try_from(result.attempts).unwrap_or(i32::MAX),
            to_db(result.next_due_at),
            to_db(now),
            result.looks_asked,
        )
        .execute(self.connection())
        .await?;
        Ok(finished.rows_affected() == 1)
    }

    /// How far a look at the queues has come.
    pub async fn installation_looked(
        &mut self,
        instance: InstanceId,
        done: usize,
        total: usize,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        sqlx::query!(
            "update installations set looked = $3, to_look = $4 where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
            count(done),
            count(total),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The look of this generation is over; these queues, by id, could not be read.
    pub async fn installation_look_ended(
        &mut self,
        instance: InstanceId,
        generation: u64,
        unread: &[String],
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update installations set looked = null, to_look = null, looked_generation = $3,
                 unseen_queue_ids = case when looked_generation = $3
                     then array(select unnest(unseen_queue_ids) intersect select unnest($4::text[]))
                     else $4::text[] end
             where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
            i64::try_from(generation).unwrap_or(i64::MAX),
            unread,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Queues read and to be read of the look under way. `None`: nobody looks, or it has not come that far.
    pub async fn installation_look(
        &mut self,
        instance: InstanceId,
    ) -> Result<Option<(usize, usize)>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query!(
            "select looked, to_look from installations where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
        )
        .fetch_optional(self.connection())
        .await?;
        let count = |count: i32| usize::try_from(count).unwrap_or_default();
        Ok(row.and_then(|row| Some((count(row.looked?), count(row.to_look?)))))
    }

    /// Gives the lease back without a result; the work stays due.
    pub async fn installation_release(
        &mut self,
        instance: InstanceId,
        token: Uuid,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update installations set looked = null, to_look = null, lease_token = null, lease_expires_at = null
             where tenant_id = $1 and instance_id = $2 and lease_token = $3",
            tenant_id,
            instance.0,
            token,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

impl Store {
    /// Takes the lease of the installation that is due longest, that nobody works on, and in whose account and region
    /// nobody works on another: two would only take turns from each other. How far a killed look had come is forgotten. For a
    /// tenant that is being deleted things are only taken away.
    pub async fn installation_lease(
        &self,
        token: Uuid,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<LeasedInstallation>, StoreError> {
        let mut tx = self.system("the reconciler serves every tenant").await?;
        // A lease that another process takes at the same moment cannot be seen before it is committed.
        tx.alone_in("installation leases").await?;
        let row = sqlx::query!(
            r#"update installations n set lease_token = $1, lease_expires_at = $3, looked = null, to_look = null
             from instances i, connections c
             where (n.tenant_id, n.instance_id) = (
                     select due.tenant_id, due.instance_id
                     from installations due
                     join instances at on at.tenant_id = due.tenant_id and at.id = due.instance_id
                     join connections by on by.tenant_id = at.tenant_id and by.id = at.connection_id
                     join tenants of_whom on of_whom.id = due.tenant_id
                     where (due.desired is null or of_whom.status not in ('deleting', 'deleted'))
                         and due.next_due_at <= $2 and (due.lease_expires_at is null or due.lease_expires_at <= $2)
                         and not exists (
                             select 1 from installations other
                             join instances there on there.tenant_id = other.tenant_id and there.id = other.instance_id
                             join connections of on of.tenant_id = there.tenant_id and of.id = there.connection_id
                             where other.lease_expires_at > $2
                                 and of.account_id = by.account_id and there.region = at.region
                         )
                     order by due.next_due_at limit 1 for update of due skip locked
                 )
                 and i.tenant_id = n.tenant_id and i.id = n.instance_id
                 and c.tenant_id = i.tenant_id and c.id = i.connection_id
             returning n.tenant_id, n.instance_id, n.desired, n.generation, n.observed_generation, n.state, n.conditions,
                 n.updated_at, n.attempts, n.looks_asked, i.instance_arn, i.health, i.checks, i.checked_at,
                 c.id as connection_id, c.installer_role_arn,
                 array_remove(array[c.external_id, c.pending_external_id, c.former_external_id], null) as "external_ids!""#,
            token,
            to_db(now),
            to_db(until),
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        let Some(row) = row else { return Ok(None) };
        let instance_arn = row
            .instance_arn
            .parse()
            .map_err(|err| StoreError::Corrupt {
                what: "instances.instance_arn",
                detail: format!("{}: {err}", InstanceId(row.instance_id)),
            })?;
        Ok(Some(LeasedInstallation {
            tenant: TenantId(row.tenant_id),
            attempts: u32::try_from(row.attempts).unwrap_or_default(),
            instance_arn,
            connection: ConnectionId(row.connection_id),
            installer_role_arn: row.installer_role_arn,
            external_ids: row.external_ids,
            looks_asked: row.looks_asked,
            check: InstanceCheck {
                health: ConnectionHealth::parse(&row.health, InstanceId(row.instance_id))?,
                checks: row.checks,
                checked_at: from_db_opt(row.checked_at)?,
            },
            installation: Installation::try_from(Row {
                instance_id: row.instance_id,
                desired: row.desired,
                generation: row.generation,
                observed_generation: row.observed_generation,
                state: row.state,
                conditions: row.conditions,
                updated_at: row.updated_at,
            })?,
        }))
    }
}
