//! Decisions as they came back from the limiters: reading. How they get here is in `ingest`.
//!
//! What came of a notice that the limiter deferred, and whether the agent takes tasks at all, stand in tables of their own
//! and are laid over the record here, so that a copy of the record that arrives later turns nothing back.

use jiff::Timestamp;
use ringfence_policy::wire::v1::{DecisionRecord, NoticeStatus};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::notices::Delivery;
use super::time::{from_db, from_db_opt, to_db};
use super::{StoreError, TenantTx};
use crate::domain::ids::{DecisionId, InstanceId};

#[derive(Debug, Clone)]
pub struct StoredDecision {
    pub id: DecisionId,
    pub instance_id: InstanceId,
    pub at: Timestamp,
    pub record: DecisionRecord,
}

/// All that are given must hold.
#[derive(Debug, Clone, Default)]
pub struct DecisionFilter {
    pub instance: Option<InstanceId>,
    pub outcome: Option<String>,
    pub rule_id: Option<String>,
    /// From then on.
    pub from: Option<Timestamp>,
    /// Before then.
    pub to: Option<Timestamp>,
    /// As the record has it: E.164, or what was typed.
    pub customer_number: Option<String>,
    pub caller_id: Option<String>,
    pub agent_arn: Option<String>,
    pub queue_arn: Option<String>,
}

impl DecisionFilter {
    /// Whether what it asks for may be rare: the database may have to look through a lot for a little.
    #[must_use]
    pub fn asks_for_some(&self) -> bool {
        let Self {
            instance,
            outcome,
            rule_id,
            from: _,
            to: _,
            customer_number,
            caller_id,
            agent_arn,
            queue_arn,
        } = self;
        let texts = [
            outcome,
            rule_id,
            customer_number,
            caller_id,
            agent_arn,
            queue_arn,
        ];
        instance.is_some() || texts.into_iter().any(Option::is_some)
    }
}

/// Where a list goes on: after this decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub at: Timestamp,
    pub id: DecisionId,
}

struct Row {
    id: Uuid,
    instance_id: Uuid,
    at: OffsetDateTime,
    record: Value,
    notice_state: Option<String>,
    notice_error: Option<String>,
    notice_task_contact_id: Option<String>,
    takes_tasks: Option<bool>,
    took_tasks_at: Option<OffsetDateTime>,
}

impl TryFrom<Row> for StoredDecision {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = DecisionId(row.id);
        let mut record: DecisionRecord =
            serde_json::from_value(row.record).map_err(|err| StoreError::Corrupt {
                what: "decisions.record",
                // Without the error's text, which may quote a number.
                detail: format!("{id}: line {}, column {}", err.line(), err.column()),
            })?;
        if let Some(state) = row.notice_state
            && record.notice == NoticeStatus::Deferred
            && let Some(delivery) =
                Delivery::read(&state, row.notice_error, row.notice_task_contact_id)?
        {
            record.notice = delivery.status;
            record.notice_error = delivery.error;
            record.task_contact_id = delivery.task_contact_id;
        }
        let took_tasks = from_db_opt(row.took_tasks_at)?.is_some_and(|at| at > record.at);
        if record.notice == NoticeStatus::Sent && row.takes_tasks == Some(false) && !took_tasks {
            record.notice = NoticeStatus::NoTaskChannel;
        }
        Ok(Self {
            id,
            instance_id: InstanceId(row.instance_id),
            at: from_db(row.at)?,
            record,
        })
    }
}

impl TenantTx {
    pub async fn decision_get(
        &mut self,
        id: DecisionId,
    ) -> Result<Option<StoredDecision>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            r#"select d.id, d.instance_id, d.at, d.record, n.state as "notice_state?", n.error as notice_error,
                    n.task_contact_id as notice_task_contact_id, a.takes_tasks as "takes_tasks?", a.took_tasks_at
             from decisions d
             left join deferred_notices n on n.tenant_id = d.tenant_id and n.instance_id = d.instance_id
                 and n.client_token = d.notice_token
             left join notice_agents a on a.tenant_id = d.tenant_id and a.instance_id = d.instance_id
                 and a.agent_arn = d.agent_arn
             where d.tenant_id = $1 and d.id = $2"#,
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(StoredDecision::try_from).transpose()
    }

    /// Newest first, those after `cursor`.
    pub async fn decision_list(
        &mut self,
        filter: &DecisionFilter,
        cursor: Option<Cursor>,
        limit: i64,
    ) -> Result<Vec<StoredDecision>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            r#"select d.id, d.instance_id, d.at, d.record, n.state as "notice_state?", n.error as notice_error,
                    n.task_contact_id as notice_task_contact_id, a.takes_tasks as "takes_tasks?", a.took_tasks_at
             from decisions d
             left join deferred_notices n on n.tenant_id = d.tenant_id and n.instance_id = d.instance_id
                 and n.client_token = d.notice_token
             left join notice_agents a on a.tenant_id = d.tenant_id and a.instance_id = d.instance_id
                 and a.agent_arn = d.agent_arn
             where d.tenant_id = $1
                 and ($2::uuid is null or d.instance_id = $2)
                 and ($3::text is null or d.outcome = $3)
                 and ($4::text is null or d.rule_id = $4)
                 and ($5::timestamptz is null or (d.at, d.id) < ($5, $6::uuid))
                 and ($7::timestamptz is null or d.at >= $7)
                 and ($8::timestamptz is null or d.at < $8)
                 and ($9::text is null or d.customer_number = $9)
                 and ($10::text is null or d.caller_id = $10)
                 and ($11::text is null or d.agent_arn = $11)
                 and ($12::text is null or d.queue_arn = $12)
             order by d.at desc, d.id desc limit $13"#,
            tenant_id,
            filter.instance.map(|id| id.0),
            filter.outcome,
            filter.rule_id,
            cursor.map(|cursor| to_db(cursor.at)),
            cursor.map(|cursor| cursor.id.0),
            filter.from.map(to_db),
            filter.to.map(to_db),
            filter.customer_number,
            filter.caller_id,
            filter.agent_arn,
            filter.queue_arn,
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(StoredDecision::try_from).collect()
    }

    /// In the order of their ids, which is about that in which they came back; those after `after`.
    pub async fn decision_arrivals(
        &mut self,
        filter: &DecisionFilter,
        after: DecisionId,
        limit: i64,
    ) -> Result<Vec<StoredDecision>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            r#"select d.id, d.instance_id, d.at, d.record, n.state as "notice_state?", n.error as notice_error,
                    n.task_contact_id as notice_task_contact_id, a.takes_tasks as "takes_tasks?", a.took_tasks_at
             from decisions d
             left join deferred_notices n on n.tenant_id = d.tenant_id and n.instance_id = d.instance_id
                 and n.client_token = d.notice_token
             left join notice_agents a on a.tenant_id = d.tenant_id and a.instance_id = d.instance_id
                 and a.agent_arn = d.agent_arn
             where d.tenant_id = $1 and d.id > $2
                 and ($3::uuid is null or d.instance_id = $3)
                 and ($4::text is null or d.outcome = $4)
                 and ($5::text is null or d.rule_id = $5)
             order by d.id limit $6"#,
            tenant_id,
            after.0,
            filter.instance.map(|id| id.0),
            filter.outcome,
            filter.rule_id,
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(StoredDecision::try_from).collect()
    }
}
