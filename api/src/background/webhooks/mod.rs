//! Tells tenants' endpoints what happened.
//!
//! Invariants: at least once, always with the same id, from the moment that the event's own transaction is through; no
//! database connection is held while an endpoint is waited for; one worker at a time serves an endpoint, so that a slow
//! one keeps nobody waiting but itself; an endpoint that fails is tried with one message at a time, at growing
//! distances, until it works again. Failure: an attempt that fails is made again for more than a day; an endpoint at
//! which nothing succeeded for long, or that says that it is gone, is disabled, with an entry in the audit log. A worker
//! that dies between sending and recording leaves a lease to end; then the message is sent once more.
//!
//! The order of messages is not promised.

pub mod history;
mod message;
mod send;

pub use message::{SECRET_PREFIX, body, secret_text};
pub use send::Sent;

use std::time::Duration;

use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::aws::Jitter;
use crate::clock::{Clock, IdSource};
use crate::domain::ids::{TenantId, WebhookId};
use crate::domain::webhook::{DisabledBecause, pause_after};
use crate::outbound::Outbound;
use crate::sealer::{SealError, Sealer};
use crate::store::{
    AttemptRecord, Change, DeliveryEnd, DueDelivery, LeasedWebhook, Store, StoreError, TurnEnd,
};

use super::backoff::backoff;
use super::driver::Found;

/// Messages of one turn, and how many of them are on their way at a time.
const TURN: i64 = 16;
const AT_ONCE: usize = 8;
/// Longer than a turn takes with a receiver that uses up all its time.
const LEASE: SignedDuration = SignedDuration::from_secs(90);
/// Endpoints of one tenant that are served at a time by all processes together; processes that look in the same moment may
/// make it one or two more.
const TENANT_TURNS_MAX: i64 = 4;
/// An endpoint at which nothing succeeded for so long is disabled.
const FAILING_MAX: SignedDuration = SignedDuration::from_hours(72);
/// However long an endpoint asks to be left alone.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// Until an endpoint is looked at again whose secret does not open.
const WITHOUT_SECRET: Duration = Duration::from_mins(5);

/// Serves endpoints, one at a time.
#[derive(Debug, Clone)]
pub struct WebhookWorker {
    pub store: Store,
    pub outbound: Outbound,
    pub sealer: Sealer,
    pub clock: Clock,
    pub ids: IdSource,
    pub jitter: Jitter,
}

/// How an endpoint did in its turn.
#[derive(Debug, Default)]
struct Tally {
    delivered: bool,
    failed: bool,
    gone: bool,
    retry_after: Option<Duration>,
}

impl WebhookWorker {
    pub async fn look(&self) -> Result<Found, StoreError> {
        let Some(webhook) = self.lease().await? else {
            return Ok(Found::Nothing);
        };
        let tally = self.turn(&webhook).await?;
        self.end(&webhook, &tally).await?;
        Ok(Found::Work)
    }

    pub async fn lease(&self) -> Result<Option<LeasedWebhook>, StoreError> {
        let now = self.clock.now();
        self.store
            .webhook_lease(self.ids.uuid(), now, after(now, LEASE), TENANT_TURNS_MAX)
            .await
    }

    /// Delivers what is due, as much as a turn holds.
    async fn turn(&self, webhook: &LeasedWebhook) -> Result<Tally, StoreError> {
        let most = if webhook.failures == 0 { TURN } else { 1 };
        let now = self.clock.now();
        let due = self.store.deliveries_due(webhook, now, most).await?;
        let secrets = match self.secrets(webhook) {
            Ok(secrets) => secrets,
            Err(err) => {
                // Nothing of the endpoint's doing; the operator has to put the keys right.
                tracing::error!(webhook.id = %webhook.id, error = %err, "a signing secret does not open");
                return Ok(Tally {
                    retry_after: Some(WITHOUT_SECRET),
                    ..Tally::default()
                });
            }
        };
        let secrets = &secrets;
        let mut attempts = futures::stream::iter(due)
            .map(|delivery| async move { self.attempt(webhook, secrets, &delivery).await })
            .buffer_unordered(AT_ONCE);
        let mut tally = Tally::default();
        while let Some(sent) = attempts.next().await {
            let sent = sent?;
            tally.delivered |= sent.is_delivered();
            tally.failed |= !sent.is_delivered();
            tally.gone |= sent.is_gone();
            tally.retry_after = tally.retry_after.max(sent.retry_after);
        }
        Ok(tally)
    }

    async fn attempt(
        &self,
        webhook: &LeasedWebhook,
        secrets: &[Vec<u8>],
        delivery: &DueDelivery,
    ) -> Result<Sent, StoreError> {
        let sent = self.send(webhook, secrets, delivery).await;
        self.record(webhook, delivery, &sent).await?;
        Ok(sent)
    }

    /// The present secret, and the one before it while its time lasts.
    pub fn secrets(&self, webhook: &LeasedWebhook) -> Result<Vec<Vec<u8>>, SealError> {
        let purpose = seal_purpose(webhook.tenant, webhook.id);
        std::iter::once(&webhook.sealed_secret)
            .chain(&webhook.sealed_former_secret)
            .map(|sealed| self.sealer.open(sealed, &purpose))
            .collect()
    }

    /// One message on its way and back; nothing is written.
    pub async fn send(
        &self,
        webhook: &LeasedWebhook,
        secrets: &[Vec<u8>],
        delivery: &DueDelivery,
    ) -> Sent {
        let at = self.clock.now();
        let body = message::body(
            delivery.kind,
            delivery.at,
            &delivery.data,
            webhook.customer_numbers,
        )
        .to_string();
        let signatures = message::signatures(
            secrets.iter().map(Vec::as_slice),
            delivery.event,
            at.as_second(),
            &body,
        );
        send::send(
            &self.outbound,
            &webhook.url,
            delivery.event,
            at,
            &signatures,
            body,
        )
        .await
    }

    /// What is kept of it.
    pub async fn record(
        &self,
        webhook: &LeasedWebhook,
        delivery: &DueDelivery,
        sent: &Sent,
    ) -> Result<(), StoreError> {
        let tries = delivery.tries.saturating_add(1);
        let ended = if sent.is_delivered() {
            DeliveryEnd::Delivered
        } else {
            match pause_after(tries, |pause| self.jitter.spread(pause)) {
                Some(pause) => DeliveryEnd::Again {
                    due_at: later(self.clock.now(), pause),
                },
                None => DeliveryEnd::GivenUp,
            }
        };
        let attempt = AttemptRecord {
            at: sent.at,
            duration_ms: sent.duration_ms,
            status: sent.status,
            error: sent.error.clone(),
            answer: sent.answer.clone(),
            ended,
        };
        let kept = self
            .store
            .delivery_record(webhook, delivery, &attempt)
            .await?;
        if !kept {
            tracing::info!(webhook.id = %webhook.id, event.id = %delivery.event, "an attempt was overtaken");
        }
        Ok(())
    }

    async fn end(&self, webhook: &LeasedWebhook, tally: &Tally) -> Result<(), StoreError> {
        let now = self.clock.now();
        let fails = tally.failed && !tally.delivered;
        let failures = match (fails, tally.delivered) {
            (true, _) => webhook.failures.saturating_add(1),
            (false, true) => 0,
            (false, false) => webhook.failures,
        };
        let failing_since = match (fails, tally.delivered) {
            (true, _) => Some(webhook.failing_since.unwrap_or(now)),
            (false, true) => None,
            (false, false) => webhook.failing_since,
        };
        let pause = if failures > 0 {
            backoff(failures, &self.jitter)
        } else {
            Duration::ZERO
        };
        let asked_for = tally.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
        let because = self.disabled_because(tally, failing_since, now);
        let change = because.map(|because| self.disabling(webhook, because, now));
        let end = TurnEnd {
            failures,
            failing_since,
            next_turn_at: later(now, pause.max(asked_for)),
            disable: because.zip(change.as_ref()),
            now,
        };
        let ended = self.store.webhook_turn_end(webhook, &end).await?;
        if let (true, Some(because)) = (ended, because) {
            tracing::warn!(webhook.id = %webhook.id, because = because.as_str(), "an endpoint was disabled");
        }
        Ok(())
    }

    fn disabled_because(
        &self,
        tally: &Tally,
        failing_since: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<DisabledBecause> {
        if tally.gone {
            return Some(DisabledBecause::Gone);
        }
        failing_since
            .is_some_and(|since| now.duration_since(since) >= FAILING_MAX)
            .then_some(DisabledBecause::Failing)
    }

    fn disabling(
        &self,
        webhook: &LeasedWebhook,
        because: DisabledBecause,
        now: Timestamp,
    ) -> Change {
        Change {
            id: self.ids.uuid(),
            at: now,
            actor: "worker".to_owned(),
            action: "webhook.disable",
            target: webhook.id.to_string(),
            before: Some(json!({ "state": "enabled" })),
            after: Some(json!({ "state": "disabled", "disabled_because": because.as_str() })),
            request_id: None,
            ip: None,
        }
    }
}

/// What a signing secret is sealed for: it opens for this endpoint alone.
#[must_use]
pub fn seal_purpose(tenant: TenantId, webhook: WebhookId) -> String {
    format!("webhook secret of {tenant} {webhook}")
}

fn after(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

fn later(now: Timestamp, pause: Duration) -> Timestamp {
    after(now, SignedDuration::try_from(pause).unwrap_or(LEASE))
}
