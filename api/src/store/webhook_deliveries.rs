//! Deliveries of events to endpoints, as tenants see them.

use jiff::Timestamp;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::publications::unsigned;
use super::time::{from_db, from_db_opt, to_db};
use super::{StoreError, TenantTx};
use crate::domain::ids::{EventId, WebhookId};
use crate::domain::webhook::{DeliveryState, EventKind};

/// One event on its way to one endpoint.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub event: EventId,
    pub kind: EventKind,
    /// When it happened.
    pub at: Timestamp,
    pub data: Value,
    pub state: DeliveryState,
    pub attempts: u64,
    /// None once it is settled.
    pub next_due_at: Option<Timestamp>,
    pub settled_at: Option<Timestamp>,
    /// What the last attempt came to.
    pub last_status: Option<i32>,
    pub last_error: Option<String>,
}

/// One attempt to deliver.
#[derive(Debug, Clone)]
pub struct DeliveryAttempt {
    pub number: i32,
    pub at: Timestamp,
    pub duration_ms: i32,
    pub status: Option<i32>,
    pub error: Option<String>,
    pub answer: Option<String>,
}

struct Row {
    event_id: Uuid,
    kind: String,
    at: OffsetDateTime,
    data: Value,
    state: String,
    attempts: i32,
    next_due_at: OffsetDateTime,
    settled_at: Option<OffsetDateTime>,
    last_status: Option<i32>,
    last_error: Option<String>,
}

impl TryFrom<Row> for Delivery {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let event = EventId(row.event_id);
        let corrupt = |what| StoreError::Corrupt {
            what,
            detail: event.to_string(),
        };
        let state =
            DeliveryState::parse(&row.state).ok_or_else(|| corrupt("webhook_deliveries.state"))?;
        let next_due_at = from_db(row.next_due_at)?;
        Ok(Self {
            event,
            kind: EventKind::parse(&row.kind).ok_or_else(|| corrupt("webhook_events.kind"))?,
            at: from_db(row.at)?,
            data: row.data,
            state,
            attempts: unsigned(row.attempts.into(), "webhook_deliveries.attempts")?,
            next_due_at: (state == DeliveryState::Waiting).then_some(next_due_at),
            settled_at: from_db_opt(row.settled_at)?,
            last_status: row.last_status,
            last_error: row.last_error,
        })
    }
}

impl TenantTx {
    /// Newest first, those before `before`.
    pub async fn delivery_list(
        &mut self,
        webhook: WebhookId,
        state: Option<DeliveryState>,
        before: Option<EventId>,
        limit: i64,
    ) -> Result<Vec<Delivery>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            r#"select d.event_id, e.kind, e.at, e.data, d.state, d.attempts, d.next_due_at, d.settled_at,
                 last.status as "last_status?", last.error as "last_error?"
             from webhook_deliveries d
             join webhook_events e on e.tenant_id = d.tenant_id and e.id = d.event_id
             left join webhook_attempts last
                 on last.tenant_id = d.tenant_id and last.endpoint_id = d.endpoint_id and last.event_id = d.event_id
                 and last.number = d.attempts
             where d.tenant_id = $1 and d.endpoint_id = $2 and ($3::text is null or d.state = $3)
                 and ($4::uuid is null or d.event_id < $4)
             order by d.event_id desc limit $5"#,
            tenant_id,
            webhook.0,
            state.map(DeliveryState::as_str),
            before.map(|id| id.0),
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(Delivery::try_from).collect()
    }

    pub async fn delivery_get(
        &mut self,
        webhook: WebhookId,
        event: EventId,
    ) -> Result<Option<Delivery>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            r#"select d.event_id, e.kind, e.at, e.data, d.state, d.attempts, d.next_due_at, d.settled_at,
                 last.status as "last_status?", last.error as "last_error?"
             from webhook_deliveries d
             join webhook_events e on e.tenant_id = d.tenant_id and e.id = d.event_id
             left join webhook_attempts last
                 on last.tenant_id = d.tenant_id and last.endpoint_id = d.endpoint_id and last.event_id = d.event_id
                 and last.number = d.attempts
             where d.tenant_id = $1 and d.endpoint_id = $2 and d.event_id = $3"#,
            tenant_id,
            webhook.0,
            event.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Delivery::try_from).transpose()
    }

    /// In their order; there are not many more than the schedule has.
    pub async fn delivery_attempts(
        &mut self,
        webhook: WebhookId,
        event: EventId,
        most: i64,
    ) -> Result<Vec<DeliveryAttempt>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query!(
            "select number, at, duration_ms, status, error, answer from webhook_attempts
             where tenant_id = $1 and endpoint_id = $2 and event_id = $3 order by number desc limit $4",
            tenant_id,
            webhook.0,
            event.0,
            most,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter()
            .rev()
            .map(|row| {
                Ok(DeliveryAttempt {
                    number: row.number,
                    at: from_db(row.at)?,
                    duration_ms: row.duration_ms,
                    status: row.status,
                    error: row.error,
                    answer: row.answer,
                })
            })
            .collect()
    }

    /// Begins the delivery anew, whatever came of it before; whether there is one.
    pub async fn delivery_resend(
        &mut self,
        webhook: WebhookId,
        event: EventId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let done = sqlx::query!(
            "update webhook_deliveries set state = 'waiting', tries = 0, next_due_at = $4, settled_at = null
             where tenant_id = $1 and endpoint_id = $2 and event_id = $3",
            tenant_id,
            webhook.0,
            event.0,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Nothing more is tried for a disabled endpoint; each can be begun anew once it is enabled.
    pub async fn deliveries_abandon(
        &mut self,
        webhook: WebhookId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let tenant_id = self.tenant_id().0;
        let done = sqlx::query!(
            "update webhook_deliveries set state = 'failed', settled_at = $3
             where tenant_id = $1 and endpoint_id = $2 and state = 'waiting'",
            tenant_id,
            webhook.0,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected())
    }
}
