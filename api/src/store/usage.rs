//! How many decisions each tenant had in each month.
//!
//! Invariant: a decision counts once, in the transaction that stores it. A later record of the same attempt moves it
//! from its former outcome and month to the new ones.

use jiff::Timestamp;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::to_db;
use super::{StoreError, SystemTx, TenantTx};
use crate::domain::ids::TenantId;

/// Decisions of one month and outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageCount {
    /// `2026-11`
    pub month: String,
    pub outcome: String,
    pub decisions: i64,
}

/// Decisions of one tenant in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantUsage {
    pub tenant: TenantId,
    pub name: String,
    pub decisions: i64,
}

/// What a batch of decisions adds and takes.
#[derive(Debug, Default)]
pub(super) struct UsageTally {
    tenants: Vec<Uuid>,
    at: Vec<OffsetDateTime>,
    outcomes: Vec<String>,
    changes: Vec<i64>,
}

impl UsageTally {
    pub(super) fn add(&mut self, tenant: TenantId, at: OffsetDateTime, outcome: &str, change: i64) {
        self.tenants.push(tenant.0);
        self.at.push(at);
        self.outcomes.push(outcome.to_owned());
        self.changes.push(change);
    }

    /// Written last and in one order, so that two batches at once do not wait for each other in a circle.
    pub(super) async fn write(self, connection: &mut PgConnection) -> Result<(), StoreError> {
        if self.tenants.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "insert into usage_decisions (tenant_id, month, outcome, decisions)
             select change.tenant_id, date_trunc('month', change.at at time zone 'UTC')::date, change.outcome,
                 sum(change.by)::bigint
             from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::bigint[]) as change (tenant_id, at, outcome, by)
             group by 1, 2, 3 having sum(change.by) <> 0 order by 1, 2, 3
             on conflict on constraint usage_decisions_pkey do update
             set decisions = usage_decisions.decisions + excluded.decisions",
            &self.tenants,
            &self.at,
            &self.outcomes,
            &self.changes,
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

impl TenantTx {
    /// The months from `from` on, newest first.
    pub async fn usage_list(&mut self, from: Timestamp) -> Result<Vec<UsageCount>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query!(
            r#"select to_char(month, 'YYYY-MM') as "month!", outcome, decisions from usage_decisions
               where tenant_id = $1 and month >= date_trunc('month', $2::timestamptz at time zone 'UTC')::date
                   and decisions <> 0
               order by month desc, outcome"#,
            tenant_id,
            to_db(from),
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| UsageCount {
                month: row.month,
                outcome: row.outcome,
                decisions: row.decisions,
            })
            .collect())
    }
}

impl SystemTx {
    /// Every tenant's decisions in the month of `at`, in the order of the tenants' making, those after `after`.
    pub async fn usage_of_tenants(
        &mut self,
        at: Timestamp,
        after: Option<TenantId>,
        limit: i64,
    ) -> Result<Vec<TenantUsage>, StoreError> {
        let rows = sqlx::query!(
            r#"select t.id, t.name, coalesce(sum(u.decisions), 0)::bigint as "decisions!"
               from tenants t
               left join usage_decisions u
                   on u.tenant_id = t.id and u.month = date_trunc('month', $1::timestamptz at time zone 'UTC')::date
               where $2::uuid is null or t.id > $2
               group by t.id, t.name order by t.id limit $3"#,
            to_db(at),
            after.map(|id| id.0),
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| TenantUsage {
                tenant: TenantId(row.id),
                name: row.name,
                decisions: row.decisions,
            })
            .collect())
    }
}
