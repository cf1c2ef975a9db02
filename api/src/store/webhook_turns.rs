//! An endpoint's turn: the lease under which one worker delivers what is due there.
//!
//! A lease is a token with an end: what a worker that was overtaken writes goes nowhere, and what it had sent is sent
//! once more under the same id. One worker at a time serves an endpoint, and only so many serve one tenant: the longest
//! unserved is next, so that neither a slow endpoint nor a busy tenant keeps the others waiting.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::time::{from_db, from_db_opt, to_db};
use super::{Store, StoreError};
use crate::domain::ids::{EventId, TenantId, WebhookId};
use crate::domain::webhook::{CustomerNumbers, DisabledBecause, EventKind};

use super::audit::Change;

/// An endpoint that this process may deliver to until its lease ends.
#[derive(Clone)]
pub struct LeasedWebhook {
    pub tenant: TenantId,
    pub id: WebhookId,
    pub url: String,
    pub customer_numbers: CustomerNumbers,
    pub sealed_secret: Vec<u8>,
    pub sealed_former_secret: Option<Vec<u8>>,
    /// Turns in a row that told nothing.
    pub failures: u32,
    pub failing_since: Option<Timestamp>,
    pub lease_token: Uuid,
}

impl fmt::Debug for LeasedWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeasedWebhook")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A delivery that is due.
#[derive(Debug, Clone)]
pub struct DueDelivery {
    pub event: EventId,
    pub kind: EventKind,
    pub at: Timestamp,
    pub data: Value,
    /// Before this one: since it was last begun.
    pub tries: u32,
}

/// One attempt, as it is kept.
#[derive(Debug, Clone)]
pub struct AttemptRecord {
    pub at: Timestamp,
    pub duration_ms: i32,
    pub status: Option<i32>,
    pub error: Option<String>,
    pub answer: Option<String>,
    pub ended: DeliveryEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryEnd {
    Delivered,
    Again { due_at: Timestamp },
    GivenUp,
}

/// Where a turn leaves the endpoint.
#[derive(Debug)]
pub struct TurnEnd<'a> {
    pub failures: u32,
    pub failing_since: Option<Timestamp>,
    pub next_turn_at: Timestamp,
    pub disable: Option<(DisabledBecause, &'a Change)>,
    pub now: Timestamp,
}

impl Store {
    /// Takes the endpoint with something due that was longest without a turn.
    pub async fn webhook_lease(
        &self,
        token: Uuid,
        now: Timestamp,
        until: Timestamp,
        most_per_tenant: i64,
    ) -> Result<Option<LeasedWebhook>, StoreError> {
        let mut tx = self
            .system("webhooks of every tenant are delivered")
            .await?;
        let row = sqlx::query!(
            "update webhook_endpoints set lease_token = $1, lease_expires_at = $3
             where (tenant_id, id) = (
                 select e.tenant_id, e.id from webhook_endpoints e
                 where e.state = 'enabled' and e.next_turn_at <= $2
                     and (e.lease_expires_at is null or e.lease_expires_at <= $2)
                     and exists (
                         select from webhook_deliveries d
                         where d.tenant_id = e.tenant_id and d.endpoint_id = e.id and d.state = 'waiting'
                             and d.next_due_at <= $2
                     )
                     and $4 > (
                         select count(*) from webhook_endpoints o
                         where o.tenant_id = e.tenant_id and o.lease_expires_at > $2
                     )
                 order by e.next_turn_at limit 1 for no key update skip locked
             )
             returning tenant_id, id, url, customer_numbers, secret, failures, failing_since,
                 case when former_secret_until > $2 then former_secret end as former_secret",
            token,
            to_db(now),
            to_db(until),
            most_per_tenant,
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        let Some(row) = row else { return Ok(None) };
        let id = WebhookId(row.id);
        Ok(Some(LeasedWebhook {
            tenant: TenantId(row.tenant_id),
            id,
            url: row.url,
            customer_numbers: CustomerNumbers::parse(&row.customer_numbers).ok_or_else(|| {
                StoreError::Corrupt {
                    what: "webhook_endpoints.customer_numbers",
                    detail: id.to_string(),
                }
            })?,
            sealed_secret: row.secret,
            sealed_former_secret: row.former_secret,
            failures: u32::try_from(row.failures).unwrap_or_default(),
            failing_since: from_db_opt(row.failing_since)?,
            lease_token: token,
        }))
    }

    /// What is due there, what has waited longest first.
    pub async fn deliveries_due(
        &self,
        webhook: &LeasedWebhook,
        now: Timestamp,
        most: i64,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        let mut tx = self.tenant(webhook.tenant).await?;
        let rows = sqlx::query!(
            "select d.event_id, d.tries, e.kind, e.at, e.data
             from webhook_deliveries d
             join webhook_events e on e.tenant_id = d.tenant_id and e.id = d.event_id
             where d.tenant_id = $1 and d.endpoint_id = $2 and d.state = 'waiting' and d.next_due_at <= $3
             order by d.next_due_at, d.event_id limit $4",
            webhook.tenant.0,
            webhook.id.0,
            to_db(now),
            most,
        )
        .fetch_all(tx.connection())
        .await?;
        tx.commit().await?;
        rows.into_iter()
            .map(|row| {
                let event = EventId(row.event_id);
                Ok(DueDelivery {
                    event,
                    kind: EventKind::parse(&row.kind).ok_or_else(|| StoreError::Corrupt {
                        what: "webhook_events.kind",
                        detail: event.to_string(),
                    })?,
                    at: from_db(row.at)?,
                    data: row.data,
                    tries: u32::try_from(row.tries).unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Keeps an attempt and what it means for its delivery. False: the lease was lost, and whoever has it now sends
    /// again; or the delivery is gone.
    pub async fn delivery_record(
        &self,
        webhook: &LeasedWebhook,
        delivery: &DueDelivery,
        attempt: &AttemptRecord,
    ) -> Result<bool, StoreError> {
        let (state, due_at, settled_at) = match attempt.ended {
            DeliveryEnd::Delivered => ("delivered", None, Some(attempt.at)),
            DeliveryEnd::Again { due_at } => ("waiting", Some(due_at), None),
            DeliveryEnd::GivenUp => ("failed", None, Some(attempt.at)),
        };
        let mut tx = self.tenant(webhook.tenant).await?;
        // One that was begun anew meanwhile, or abandoned, keeps what it was told by that.
        let counted = sqlx::query!(
            "update webhook_deliveries d
             set attempts = d.attempts + 1, tries = d.tries + 1, state = $5,
                 next_due_at = coalesce($6, d.next_due_at), settled_at = $7
             from webhook_endpoints e
             where d.tenant_id = $1 and d.endpoint_id = $2 and d.event_id = $3 and d.state = 'waiting'
                 and d.tries = $8 and e.tenant_id = d.tenant_id and e.id = d.endpoint_id and e.lease_token = $4
             returning d.attempts",
            webhook.tenant.0,
            webhook.id.0,
            delivery.event.0,
            webhook.lease_token,
            state,
            due_at.map(to_db),
            settled_at.map(to_db),
            i32::try_from(delivery.tries).unwrap_or(i32::MAX),
        )
        .fetch_optional(tx.connection())
        .await?;
        let Some(counted) = counted else {
            return Ok(false);
        };
        sqlx::query!(
            "insert into webhook_attempts
                 (tenant_id, endpoint_id, event_id, number, at, duration_ms, status, error, answer)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            webhook.tenant.0,
            webhook.id.0,
            delivery.event.0,
            counted.attempts,
            to_db(attempt.at),
            attempt.duration_ms,
            attempt.status,
            attempt.error,
            attempt.answer,
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Gives the lease back. Where nothing waits any more, the endpoint does not fail any more either: the next event finds it
    /// as one that has just been made. False: it was somebody else's by then, and nothing changed.
    pub async fn webhook_turn_end(
        &self,
        webhook: &LeasedWebhook,
        end: &TurnEnd<'_>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.tenant(webhook.tenant).await?;
        let ended = sqlx::query!(
            "update webhook_endpoints e
             set failures = case when waits.still or $7::text is not null then $4 else 0 end,
                 failing_since = case when waits.still or $7::text is not null then $5::timestamptz end,
                 next_turn_at = $6, lease_token = null, lease_expires_at = null,
                 state = case when $7::text is null then state else 'disabled' end,
                 disabled_because = coalesce($7, disabled_because)
             from (
                 select exists (
                     select from webhook_deliveries where tenant_id = $1 and endpoint_id = $2 and state = 'waiting'
                 ) as still
             ) waits
             where e.tenant_id = $1 and e.id = $2 and e.lease_token = $3",
            webhook.tenant.0,
            webhook.id.0,
            webhook.lease_token,
            i32::try_from(end.failures).unwrap_or(i32::MAX),
            end.failing_since.map(to_db),
            to_db(end.next_turn_at),
            end.disable.map(|(because, _)| because.as_str()),
        )
        .execute(tx.connection())
        .await?;
        if ended.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some((_, change)) = end.disable {
            tx.deliveries_abandon(webhook.id, end.now).await?;
            tx.audit_append(change).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}
