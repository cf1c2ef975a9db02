//! Notices that limiters could not send: who may work on one, when the next may go out, and what came of it.
//!
//! A lease is a token with an end, as for installations: what a worker that was overtaken writes goes nowhere. The turn
//! of an account and region is taken in the transaction that takes the lease, so that any number of processes keep to
//! one pace.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ringfence_policy::wire::v1::NoticeStatus;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::time::to_db;
use super::{NewDecision, Store, StoreError};
use crate::domain::ids::{InstanceId, TenantId};
use crate::domain::instance_arn::InstanceArn;

/// A notice as it comes with its decision.
#[derive(Clone)]
pub struct NewNotice {
    pub client_token: String,
    pub expires_at: Timestamp,
    pub task: NoticeTask,
}

/// What the task says. It names a customer's number: nothing of it shows in `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeTask {
    pub name: String,
    pub description: String,
    pub attributes: BTreeMap<String, String>,
}

impl std::fmt::Debug for NewNotice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewNotice")
            .field("client_token", &self.client_token)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for NoticeTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NoticeTask").finish_non_exhaustive()
    }
}

/// A notice that this process may send until its lease ends.
#[derive(Debug, Clone)]
pub struct LeasedNotice {
    pub tenant: TenantId,
    pub instance: InstanceId,
    pub instance_arn: InstanceArn,
    /// Roles and external ids that may let us in, the present ones first.
    pub runtime_role_arns: Vec<String>,
    pub external_ids: Vec<String>,
    /// None: the installation has no notice flow any more.
    pub flow_id: Option<String>,
    pub contact_id: String,
    pub client_token: String,
    pub task: NoticeTask,
    /// This one included.
    pub attempts: u32,
    pub lease_token: Uuid,
}

/// How a notice ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeEnd {
    Sent { task_contact_id: String },
    Failed { error: String },
}

/// What became of a deferred notice, as far as it is known.
pub(super) struct Delivery {
    pub(super) status: NoticeStatus,
    pub(super) error: Option<String>,
    pub(super) task_contact_id: Option<String>,
}

impl Delivery {
    /// None: it waits still.
    pub(super) fn read(
        state: &str,
        error: Option<String>,
        task_contact_id: Option<String>,
    ) -> Result<Option<Self>, StoreError> {
        let status = match state {
            "waiting" => return Ok(None),
            "sent" => NoticeStatus::Sent,
            "failed" => NoticeStatus::Failed,
            "expired" => NoticeStatus::Expired,
            other => {
                return Err(StoreError::Corrupt {
                    what: "deferred_notices.state",
                    detail: other.to_owned(),
                });
            }
        };
        Ok(Some(Self {
            status,
            error,
            task_contact_id,
        }))
    }
}

/// Keeps the notice of a decision that was stored. Another denial of the same stretch makes one that waits wait for as long as its
/// own would, and one that had come to nothing before that denial worth another try.
pub(super) async fn notice_put(
    connection: &mut PgConnection,
    decision: &NewDecision,
    notice: &NewNotice,
    now: Timestamp,
) -> Result<(), StoreError> {
    let task = serde_json::to_value(&notice.task).map_err(|_| StoreError::Corrupt {
        what: "a notice's task",
        detail: "cannot be written as JSON".to_owned(),
    })?;
    sqlx::query!(
        "insert into deferred_notices
             (tenant_id, instance_id, client_token, contact_id, denied_at, expires_at, task, state, attempts, next_due_at)
         select i.tenant_id, i.id, $2, $3, $4, $5, $6, 'waiting', 0, $7
         from instances i
         where i.instance_arn = $1 and i.verified_at is not null
         on conflict on constraint deferred_notices_pkey do update
         set contact_id = excluded.contact_id, denied_at = excluded.denied_at, expires_at = excluded.expires_at,
             task = excluded.task, state = 'waiting', settled_at = null,
             attempts = case deferred_notices.state when 'waiting' then deferred_notices.attempts else 0 end,
             next_due_at = case deferred_notices.state
                 when 'waiting' then deferred_notices.next_due_at else excluded.next_due_at end,
             error = case deferred_notices.state when 'waiting' then deferred_notices.error end
         where (deferred_notices.state = 'waiting' and deferred_notices.expires_at < excluded.expires_at)
             or (deferred_notices.state in ('failed', 'expired') and deferred_notices.settled_at < excluded.denied_at)",
        decision.instance_arn,
        notice.client_token,
        decision.contact_id,
        to_db(decision.at),
        to_db(notice.expires_at),
        task,
        to_db(now),
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "insert into request_paces (account_id, region, quota, next_at)
         select c.account_id, i.region, 'tasks', $2
         from instances i
         join connections c on c.tenant_id = i.tenant_id and c.id = i.connection_id
         where i.instance_arn = $1 and i.verified_at is not null
         on conflict on constraint request_paces_pkey do nothing",
        decision.instance_arn,
        to_db(now),
    )
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Ends what has waited too long; answers how many that were. An attempt that never came back may have reached the
    /// agent all the same, and the row says so.
    pub async fn notice_expire(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.system("the notice worker serves every tenant").await?;
        let expired = sqlx::query!(
            "update deferred_notices
             set state = 'expired', settled_at = $1, task = null,
                 error = case when lease_token is null then error
                         else 'the last attempt was cut off; the task may have been started' end,
                 lease_token = null, lease_expires_at = null
             where state = 'waiting' and expires_at <= $1 and (lease_expires_at is null or lease_expires_at <= $1)",
            to_db(now),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(expired.rows_affected())
    }

    /// Takes the oldest notice that is due in an account and region whose turn it is; that turn is used up until
    /// `turn_after`.
    pub async fn notice_lease(
        &self,
        lease_token: Uuid,
        now: Timestamp,
        until: Timestamp,
        turn_after: Timestamp,
    ) -> Result<Option<LeasedNotice>, StoreError> {
        let mut tx = self.system("the notice worker serves every tenant").await?;
        let row = sqlx::query!(
            r#"with due as (
                 select n.tenant_id, n.instance_id, n.client_token, s.account_id, s.region, i.instance_arn,
                     array_remove(array[c.runtime_role_arn, c.former_runtime_role_arn], null) as runtime_role_arns,
                     array_remove(array[c.external_id, c.pending_external_id, c.former_external_id], null) as external_ids
                 from deferred_notices n
                 join instances i on i.tenant_id = n.tenant_id and i.id = n.instance_id
                 join connections c on c.tenant_id = i.tenant_id and c.id = i.connection_id
                 join request_paces s on s.account_id = c.account_id and s.region = i.region and s.quota = 'tasks'
                 where n.state = 'waiting' and n.next_due_at <= $2 and n.expires_at > $2
                     and (n.lease_expires_at is null or n.lease_expires_at <= $2) and s.next_at <= $2
                 order by n.denied_at limit 1
                 for update of n, s skip locked
             ), turn as (
                 update request_paces s set next_at = $4
                 from due where s.account_id = due.account_id and s.region = due.region and s.quota = 'tasks'
             )
             update deferred_notices n set lease_token = $1, lease_expires_at = $3, attempts = n.attempts + 1
             from due
             where n.tenant_id = due.tenant_id and n.instance_id = due.instance_id and n.client_token = due.client_token
             returning n.tenant_id, n.instance_id, n.client_token, n.contact_id, n.task, n.attempts,
                 due.instance_arn, due.runtime_role_arns as "runtime_role_arns!", due.external_ids as "external_ids!",
                 (select f.flow_id from installed_flows f
                  where f.tenant_id = n.tenant_id and f.instance_id = n.instance_id and f.flow_key = 'notice') as flow_id"#,
            lease_token,
            to_db(now),
            to_db(until),
            to_db(turn_after),
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        let Some(row) = row else { return Ok(None) };
        let instance = InstanceId(row.instance_id);
        let corrupt = |what: &'static str| StoreError::Corrupt {
            what,
            detail: instance.to_string(),
        };
        Ok(Some(LeasedNotice {
            tenant: TenantId(row.tenant_id),
            instance,
            instance_arn: row
                .instance_arn
                .parse()
                .map_err(|_| corrupt("instances.instance_arn"))?,
            runtime_role_arns: row.runtime_role_arns,
            external_ids: row.external_ids,
            flow_id: row.flow_id,
            contact_id: row.contact_id,
            client_token: row.client_token,
            task: row
                .task
                .and_then(|task| serde_json::from_value(task).ok())
                .ok_or_else(|| corrupt("deferred_notices.task"))?,
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            lease_token,
        }))
    }

    /// Records the end. False: the lease was somebody else's by then, and so is the end.
    pub async fn notice_settle(
        &self,
        notice: &LeasedNotice,
        end: &NoticeEnd,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (state, error, task_contact_id) = match end {
            NoticeEnd::Sent { task_contact_id } => ("sent", None, Some(task_contact_id)),
            NoticeEnd::Failed { error } => ("failed", Some(error), None),
        };
        let mut tx = self.tenant(notice.tenant).await?;
        let settled = sqlx::query!(
            "update deferred_notices
             set state = $5, error = $6, task_contact_id = $7, settled_at = $8, task = null,
                 lease_token = null, lease_expires_at = null
             where tenant_id = $1 and instance_id = $2 and client_token = $3 and lease_token = $4",
            notice.tenant.0,
            notice.instance.0,
            notice.client_token,
            notice.lease_token,
            state,
            error,
            task_contact_id,
            to_db(now),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(settled.rows_affected() == 1)
    }

    /// Gives the lease back: the notice is due again at `due_at`.
    pub async fn notice_put_off(
        &self,
        notice: &LeasedNotice,
        error: &str,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.tenant(notice.tenant).await?;
        sqlx::query!(
            "update deferred_notices set error = $5, next_due_at = $6, lease_token = null, lease_expires_at = null
             where tenant_id = $1 and instance_id = $2 and client_token = $3 and lease_token = $4",
            notice.tenant.0,
            notice.instance.0,
            notice.client_token,
            notice.lease_token,
            error,
            to_db(due_at),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }

    /// No task is started in the account and region before `until`: Connect has had enough there.
    pub async fn task_starts_pause(
        &self,
        account_id: &str,
        region: &str,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self
            .system("an account's pace is common to all who send there")
            .await?;
        sqlx::query!(
            "update request_paces set next_at = greatest(next_at, $3)
             where account_id = $1 and region = $2 and quota = 'tasks'",
            account_id,
            region,
            to_db(until),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }
}
