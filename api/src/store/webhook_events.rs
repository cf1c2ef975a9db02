//! The outbox: what tenants are to be told, written in the transaction that makes it true.
//!
//! Invariants: an event is kept only where an endpoint wants it, with one delivery for each; the subject makes it unique,
//! so that whatever is repeated is told of once.

use jiff::Timestamp;
use serde_json::Value;
use sqlx::PgConnection;

use super::time::to_db;
use super::{Store, StoreError, TenantTx};
use crate::domain::ids::{EventId, TenantId, WebhookId};
use crate::domain::webhook::EventKind;

/// Something that happened.
#[derive(Debug)]
pub struct NewEvent<'a> {
    pub id: EventId,
    pub kind: EventKind,
    /// What it is about; the same event has the same subject.
    pub subject: &'a str,
    pub at: Timestamp,
    pub data: Value,
}

/// Keeps the event for each enabled endpoint that wants it, or for `only` one whatever it wants. Answers how many.
pub(super) async fn event_put(
    connection: &mut PgConnection,
    tenant: TenantId,
    event: &NewEvent<'_>,
    only: Option<WebhookId>,
) -> Result<u64, StoreError> {
    let told = sqlx::query!(
        "with wanted as (
             select id from webhook_endpoints
             where tenant_id = $1 and case when $7::uuid is null then state = 'enabled' and $3 = any(events) else id = $7 end
         ), kept as (
             insert into webhook_events (tenant_id, id, kind, subject, at, data)
             select $1, $2, $3, $4, $5, $6 where exists (select from wanted)
             on conflict on constraint webhook_events_once do nothing
             returning id
         )
         insert into webhook_deliveries (tenant_id, endpoint_id, event_id, state, attempts, tries, next_due_at)
         select $1, wanted.id, kept.id, 'waiting', 0, 0, $5 from wanted cross join kept",
        tenant.0,
        event.id.0,
        event.kind.as_str(),
        event.subject,
        to_db(event.at),
        event.data,
        only.map(|id| id.0),
    )
    .execute(connection)
    .await?;
    Ok(told.rows_affected())
}

impl TenantTx {
    /// Tells whoever wants to know of it.
    pub async fn event_put(&mut self, event: &NewEvent<'_>) -> Result<u64, StoreError> {
        let tenant = self.tenant_id();
        event_put(self.connection(), tenant, event, None).await
    }

    /// Tells this endpoint alone.
    pub async fn event_put_for(
        &mut self,
        webhook: WebhookId,
        event: &NewEvent<'_>,
    ) -> Result<u64, StoreError> {
        let tenant = self.tenant_id();
        event_put(self.connection(), tenant, event, Some(webhook)).await
    }
}

impl Store {
    /// Gives up what still waits for disabled endpoints, at most so many: deliveries of events that were on their way while
    /// the endpoint was disabled, which whoever disabled it could not see.
    pub async fn deliveries_abandon_disabled(
        &self,
        now: Timestamp,
        most: i64,
    ) -> Result<u64, StoreError> {
        let mut tx = self.system("disabled endpoints are every tenant's").await?;
        // Whoever enables the endpoint waits for us, or is passed over: what is begun anew then is not given up.
        let done = sqlx::query!(
            "update webhook_deliveries set state = 'failed', settled_at = $1
             where (tenant_id, endpoint_id, event_id) in (
                 select d.tenant_id, d.endpoint_id, d.event_id from webhook_endpoints e
                 join webhook_deliveries d on d.tenant_id = e.tenant_id and d.endpoint_id = e.id
                 where e.state = 'disabled' and d.state = 'waiting'
                 limit $2 for share of e skip locked for update of d skip locked
             )",
            to_db(now),
            most,
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected())
    }

    /// Forgets events of before, with their deliveries, unless one of these still waits for an enabled endpoint; at most so
    /// many.
    pub async fn events_forget(&self, before: Timestamp, most: i64) -> Result<u64, StoreError> {
        let mut tx = self.system("old events are every tenant's").await?;
        let done = sqlx::query!(
            "delete from webhook_events where (tenant_id, id) in (
                 select e.tenant_id, e.id from webhook_events e
                 where e.at < $1 and not exists (
                     select from webhook_deliveries d
                     join webhook_endpoints w on w.tenant_id = d.tenant_id and w.id = d.endpoint_id
                     where d.tenant_id = e.tenant_id and d.event_id = e.id and d.state = 'waiting'
                         and w.state = 'enabled'
                 )
                 order by e.at limit $2
             )",
            to_db(before),
            most,
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected())
    }
}
