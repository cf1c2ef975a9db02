//! Decisions counted by time and by what they have in common. From the decisions themselves, within a period that callers
//! bound.

use jiff::Timestamp;

use super::time::{from_db, to_db};
use super::{StoreError, TenantTx};
use crate::domain::ids::InstanceId;

/// Which decisions are counted: from `from` on and before `to`.
#[derive(Debug, Clone)]
pub struct Period {
    pub from: Timestamp,
    pub to: Timestamp,
    pub instance: Option<InstanceId>,
}

/// Decisions of one outcome in one stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesCount {
    pub start: Timestamp,
    pub outcome: String,
    pub decisions: i64,
}

/// How long deciding took, in milliseconds; none where nothing was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecidedIn {
    pub p50_ms: Option<i32>,
    pub p99_ms: Option<i32>,
}

/// What decisions have in common, and how many have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopCount {
    pub value: String,
    pub decisions: i64,
}

impl TenantTx {
    /// Oldest first; `unit` is `minute`, `hour` or `day` (UTC). Stretches without any are left out.
    pub async fn stats_series(
        &mut self,
        period: &Period,
        unit: &str,
    ) -> Result<Vec<SeriesCount>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query!(
            r#"select date_trunc($5, at, 'UTC') as "start!", outcome, count(*) as "decisions!"
             from decisions
             where tenant_id = $1 and at >= $2 and at < $3 and ($4::uuid is null or instance_id = $4)
             group by 1, 2 order by 1, 2"#,
            tenant_id,
            to_db(period.from),
            to_db(period.to),
            period.instance.map(|id| id.0),
            unit,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(SeriesCount {
                    start: from_db(row.start)?,
                    outcome: row.outcome,
                    decisions: row.decisions,
                })
            })
            .collect()
    }

    pub async fn stats_decided_in(&mut self, period: &Period) -> Result<DecidedIn, StoreError> {
        let tenant_id = self.tenant_id().0;
        let found = sqlx::query_as!(
            DecidedIn,
            r#"select percentile_disc(0.5) within group (order by (record ->> 'decided_in_ms')::integer) as p50_ms,
                 percentile_disc(0.99) within group (order by (record ->> 'decided_in_ms')::integer) as p99_ms
             from decisions
             where tenant_id = $1 and at >= $2 and at < $3 and ($4::uuid is null or instance_id = $4)"#,
            tenant_id,
            to_db(period.from),
            to_db(period.to),
            period.instance.map(|id| id.0),
        )
        .fetch_one(self.connection())
        .await?;
        Ok(found)
    }

    /// The most frequent first. `by` is a column.
    pub async fn stats_top(
        &mut self,
        period: &Period,
        by: &str,
        outcome: Option<&str>,
        limit: i64,
    ) -> Result<Vec<TopCount>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let found = sqlx::query_as!(
            TopCount,
            r#"select value as "value!", count(*) as "decisions!" from (
                 select case $5::text
                     when 'rule_id' then rule_id
                     when 'instance_id' then 'ins_' || replace(instance_id::text, '-', '')
                     when 'customer_number' then customer_number
                     when 'caller_id' then caller_id
                     when 'agent_arn' then agent_arn
                     when 'queue_arn' then queue_arn
                 end as value
                 from decisions
                 where tenant_id = $1 and at >= $2 and at < $3 and ($4::uuid is null or instance_id = $4)
                     and ($6::text is null or outcome = $6)
             ) as counted
             where value is not null group by 1 order by 2 desc, 1 limit $7"#,
            tenant_id,
            to_db(period.from),
            to_db(period.to),
            period.instance.map(|id| id.0),
            by,
            outcome,
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        Ok(found)
    }
}
