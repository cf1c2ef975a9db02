//! What is known of whom agents can dial from, and how far the reading of it has come.
//!
//! A lease is a token with an end. Whatever a reader writes, it writes in a transaction that first holds the lease.

use jiff::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::{from_db_opt, to_db};
use super::{Store, StoreError, TenantTx};
use crate::domain::coverage::{DialProfile, DialQueue, ProfileAnswer, Reading};
use crate::domain::ids::{InstanceId, TenantId};
use crate::domain::instance_arn::InstanceArn;

/// A reading that this process may go on with until the lease ends.
#[derive(Debug, Clone)]
pub struct LeasedReading {
    pub tenant: TenantId,
    pub instance: InstanceId,
    pub token: Uuid,
    pub instance_arn: InstanceArn,
    pub installer_role_arn: String,
    /// Those that the role may accept, the present one first.
    pub external_ids: Vec<String>,
}

struct ReadingRow {
    asked_at: Option<OffsetDateTime>,
    began_at: Option<OffsetDateTime>,
    listed_at: Option<OffsetDateTime>,
    refused: Vec<String>,
    problem: String,
    attempts: i32,
    computed_at: Option<OffsetDateTime>,
    is_due: bool,
    missing_permissions: Vec<String>,
}

impl TryFrom<ReadingRow> for Reading {
    type Error = StoreError;

    fn try_from(row: ReadingRow) -> Result<Self, StoreError> {
        Ok(Self {
            asked_at: from_db_opt(row.asked_at)?,
            began_at: from_db_opt(row.began_at)?,
            listed_at: from_db_opt(row.listed_at)?,
            refused: row.refused,
            problem: row.problem,
            attempts: u32::try_from(row.attempts).unwrap_or_default(),
            computed_at: from_db_opt(row.computed_at)?,
            is_due: row.is_due,
            missing_permissions: row.missing_permissions,
        })
    }
}

impl TenantTx {
    /// A reading is due at once, or after the pause that a failure brought. One that is under way goes on, and another
    /// follows it; further wishes until that begins are the same wish.
    pub async fn coverage_ask(
        &mut self,
        instance: InstanceId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "insert into coverage_readings as r (tenant_id, instance_id, next_due_at, asked_at) values ($1, $2, $3, $3)
             on conflict on constraint coverage_readings_pkey do update
             set next_due_at = case when r.attempts > 0 then r.next_due_at
                                   else least(r.next_due_at, excluded.next_due_at) end,
                 asked_at = case when r.asked_at > coalesce(r.began_at, '-infinity')
                                      and r.asked_at >= coalesce(r.computed_at, '-infinity') then r.asked_at
                                else excluded.asked_at end",
            tenant_id,
            instance.0,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// A first reading is due, unless there is or was one.
    pub async fn coverage_begin_keeping(
        &mut self,
        instance: InstanceId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "insert into coverage_readings (tenant_id, instance_id, next_due_at) values ($1, $2, $3)
             on conflict on constraint coverage_readings_pkey do update set next_due_at = excluded.next_due_at
             where coverage_readings.began_at is null and coverage_readings.next_due_at = 'infinity'",
            tenant_id,
            instance.0,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// `None`: none was ever asked for.
    pub async fn coverage_reading(
        &mut self,
        instance: InstanceId,
    ) -> Result<Option<Reading>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            ReadingRow,
            r#"select asked_at, began_at, listed_at, refused, problem, attempts, computed_at,
                 next_due_at < 'infinity' as "is_due!", missing_permissions
             from coverage_readings where tenant_id = $1 and instance_id = $2"#,
            tenant_id,
            instance.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Reading::try_from).transpose()
    }

    pub async fn coverage_profiles(
        &mut self,
        instance: InstanceId,
    ) -> Result<Vec<DialProfile>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query!(
            "select profile_id, name, default_queue_id, queue_ids, read_at from coverage_profiles
             where tenant_id = $1 and instance_id = $2 order by profile_id",
            tenant_id,
            instance.0,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(DialProfile {
                    id: row.profile_id,
                    name: row.name,
                    default_queue_id: row.default_queue_id,
                    queue_ids: row.queue_ids,
                    read_at: from_db_opt(row.read_at)?,
                })
            })
            .collect()
    }

    pub async fn coverage_queues(
        &mut self,
        instance: InstanceId,
    ) -> Result<Vec<DialQueue>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query!(
            "select queue_id, name, whisper_flow_id, read_at from coverage_queues
             where tenant_id = $1 and instance_id = $2 order by queue_id",
            tenant_id,
            instance.0,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(DialQueue {
                    id: row.queue_id,
                    name: row.name,
                    whisper_flow_id: row.whisper_flow_id,
                    read_at: from_db_opt(row.read_at)?,
                })
            })
            .collect()
    }

    /// Prolongs the lease. False: it is somebody else's.
    pub async fn coverage_hold(
        &mut self,
        instance: InstanceId,
        token: Uuid,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let held = sqlx::query!(
            "update coverage_readings set lease_expires_at = $4
             where tenant_id = $1 and instance_id = $2 and lease_token = $3",
            tenant_id,
            instance.0,
            token,
            to_db(until),
        )
        .execute(self.connection())
        .await?;
        Ok(held.rows_affected() == 1)
    }

    /// Everything that is known is older than this reading.
    pub async fn coverage_begin(
        &mut self,
        instance: InstanceId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update coverage_readings set began_at = $3, listed_at = null, refused = '{}'
             where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// There are these profiles, by id and name, and no others any more.
    pub async fn coverage_profiles_listed(
        &mut self,
        instance: InstanceId,
        (ids, names): (Vec<String>, Vec<String>),
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "delete from coverage_profiles where tenant_id = $1 and instance_id = $2 and profile_id <> all($3)",
            tenant_id,
            instance.0,
            &ids,
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "insert into coverage_profiles (tenant_id, instance_id, profile_id, name)
             select $1, $2, id, name from unnest($3::text[], $4::text[]) as listed (id, name)
             on conflict on constraint coverage_profiles_pkey do update set name = excluded.name",
            tenant_id,
            instance.0,
            &ids,
            &names,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// As [`Self::coverage_profiles_listed`].
    pub async fn coverage_queues_listed(
        &mut self,
        instance: InstanceId,
        (ids, names): (Vec<String>, Vec<String>),
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "delete from coverage_queues where tenant_id = $1 and instance_id = $2 and queue_id <> all($3)",
            tenant_id,
            instance.0,
            &ids,
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "insert into coverage_queues (tenant_id, instance_id, queue_id, name)
             select $1, $2, id, name from unnest($3::text[], $4::text[]) as listed (id, name)
             on conflict on constraint coverage_queues_pkey do update set name = excluded.name",
            tenant_id,
            instance.0,
            &ids,
            &names,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Which profiles and queues there are is known, as far as the role may list them.
    pub async fn coverage_listed(
        &mut self,
        instance: InstanceId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update coverage_readings set listed_at = $3 where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// What was not answered stays as it was known.
    pub async fn coverage_profile_read(
        &mut self,
        instance: InstanceId,
        profile_id: &str,
        answered: &ProfileAnswer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update coverage_profiles
             set default_queue_id = case when $4 then $5 else default_queue_id end,
                 queue_ids = coalesce($6, queue_ids), read_at = $7
             where tenant_id = $1 and instance_id = $2 and profile_id = $3",
            tenant_id,
            instance.0,
            profile_id,
            answered.default_queue_id.is_some(),
            answered.default_queue_id.clone().flatten(),
            answered.queue_ids.as_deref(),
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    pub async fn coverage_queue_read(
        &mut self,
        instance: InstanceId,
        queue_id: &str,
        whisper_flow_id: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update coverage_queues set whisper_flow_id = $4, read_at = $5
             where tenant_id = $1 and instance_id = $2 and queue_id = $3",
            tenant_id,
            instance.0,
            queue_id,
            whisper_flow_id,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// It was deleted since it was listed.
    pub async fn coverage_profile_gone(
        &mut self,
        instance: InstanceId,
        profile_id: &str,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "delete from coverage_profiles where tenant_id = $1 and instance_id = $2 and profile_id = $3",
            tenant_id,
            instance.0,
            profile_id,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// As [`Self::coverage_profile_gone`].
    pub async fn coverage_queue_gone(
        &mut self,
        instance: InstanceId,
        queue_id: &str,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "delete from coverage_queues where tenant_id = $1 and instance_id = $2 and queue_id = $3",
            tenant_id,
            instance.0,
            queue_id,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The role lacks this permission; the reading goes on without it.
    pub async fn coverage_refused(
        &mut self,
        instance: InstanceId,
        permission: &str,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update coverage_readings set refused = array_append(array_remove(refused, $3), $3)
             where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
            permission,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// All was read. The next reading is due at `next_due_at` where something is installed, and at once if it was wished
    /// for since this one began; such a wish counts as of now, for this reading has not served it.
    pub async fn coverage_finish(
        &mut self,
        instance: InstanceId,
        now: Timestamp,
        next_due_at: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update coverage_readings r
             set computed_at = $3::timestamptz,
                 asked_at = case when asked_at > began_at then $3::timestamptz else asked_at end, missing_permissions = refused, began_at = null, listed_at = null, refused = '{}',
                 problem = '', attempts = 0, lease_token = null, lease_expires_at = null,
                 next_due_at = case
                     when asked_at > began_at then $3::timestamptz
                     when exists (select from installations n where n.tenant_id = r.tenant_id
                                  and n.instance_id = r.instance_id and n.state <> 'uninstalled') then $4::timestamptz
                     else 'infinity' end
             where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
            to_db(now),
            to_db(next_due_at),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Gives the lease back; somebody goes on at `next_due_at`.
    pub async fn coverage_pause(
        &mut self,
        instance: InstanceId,
        next_due_at: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update coverage_readings
             set problem = '', attempts = 0, next_due_at = $3, lease_token = null, lease_expires_at = null
             where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
            to_db(next_due_at),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Gives the lease back; a problem keeps it from going on until `next_due_at`. Where nothing is installed, only a wish
    /// is tried again, and only if `may_retry`; otherwise the reading is given up until the next wish or installation.
    pub async fn coverage_failed(
        &mut self,
        instance: InstanceId,
        problem: &str,
        next_due_at: Timestamp,
        may_retry: bool,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "with kept as (
                 select ($5 and asked_at >= coalesce(computed_at, '-infinity'))
                     or exists (select from installations n where n.tenant_id = r.tenant_id
                                and n.instance_id = r.instance_id and n.state <> 'uninstalled') as kept
                 from coverage_readings r where tenant_id = $1 and instance_id = $2
             )
             update coverage_readings
             set problem = $3, attempts = case when kept then attempts + 1 else 0 end,
                 next_due_at = case when kept then $4::timestamptz else 'infinity' end,
                 asked_at = case when kept then asked_at end,
                 began_at = case when kept then began_at end, listed_at = case when kept then listed_at end,
                 refused = case when kept then refused else '{}' end,
                 lease_token = null, lease_expires_at = null
             from kept
             where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
            problem,
            to_db(next_due_at),
            may_retry,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

impl Store {
    /// Takes the lease of the reading that is due longest, that nobody works on, and in whose account and region nobody
    /// reads another: two would only take turns from each other.
    pub async fn coverage_lease(
        &self,
        token: Uuid,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<LeasedReading>, StoreError> {
        let mut tx = self
            .system("routing profiles of every tenant are read")
            .await?;
        // A lease that another process takes at the same moment cannot be seen before it is committed.
        tx.alone_in("coverage leases").await?;
        let row = sqlx::query!(
            r#"update coverage_readings r set lease_token = $1, lease_expires_at = $3
             from instances i, connections c
             where (r.tenant_id, r.instance_id) = (
                     select due.tenant_id, due.instance_id
                     from coverage_readings due
                     join instances at on at.tenant_id = due.tenant_id and at.id = due.instance_id
                     join connections by on by.tenant_id = at.tenant_id and by.id = at.connection_id
                     where due.next_due_at <= $2 and (due.lease_expires_at is null or due.lease_expires_at <= $2)
                         and not exists (
                             select 1 from coverage_readings other
                             join instances there on there.tenant_id = other.tenant_id and there.id = other.instance_id
                             join connections of on of.tenant_id = there.tenant_id and of.id = there.connection_id
                             where other.lease_expires_at > $2
                                 and of.account_id = by.account_id and there.region = at.region
                         )
                     order by due.next_due_at limit 1 for update of due skip locked
                 )
                 and i.tenant_id = r.tenant_id and i.id = r.instance_id
                 and c.tenant_id = i.tenant_id and c.id = i.connection_id
             returning r.tenant_id, r.instance_id, i.instance_arn, c.installer_role_arn,
                 array_remove(array[c.external_id, c.pending_external_id, c.former_external_id], null) as "external_ids!""#,
            token,
            to_db(now),
            to_db(until),
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        let Some(row) = row else { return Ok(None) };
        let instance = InstanceId(row.instance_id);
        let instance_arn = row
            .instance_arn
            .parse()
            .map_err(|err| StoreError::Corrupt {
                what: "instances.instance_arn",
                detail: format!("{instance}: {err}"),
            })?;
        Ok(Some(LeasedReading {
            tenant: TenantId(row.tenant_id),
            instance,
            token,
            instance_arn,
            installer_role_arn: row.installer_role_arn,
            external_ids: row.external_ids,
        }))
    }
}
