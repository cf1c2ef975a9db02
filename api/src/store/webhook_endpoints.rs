//! Endpoints of webhooks, as tenants manage them.

use std::fmt;

use jiff::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::{from_db, from_db_opt, to_db};
use super::{StoreError, TenantTx};
use crate::domain::ids::WebhookId;
use crate::domain::webhook::{CustomerNumbers, DisabledBecause, EndpointState, EventKind};

/// Where a tenant wants to be told of some events.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub url: String,
    pub description: String,
    pub events: Vec<EventKind>,
    pub customer_numbers: CustomerNumbers,
    pub state: EndpointState,
    pub disabled_because: Option<DisabledBecause>,
    pub failing_since: Option<Timestamp>,
    pub created_at: Timestamp,
    /// Until then the secret before the present one signs too.
    pub former_secret_until: Option<Timestamp>,
}

impl fmt::Debug for Webhook {
    /// Without the address: it may hold a secret of the receiver's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

struct Row {
    id: Uuid,
    url: String,
    description: String,
    events: Vec<String>,
    customer_numbers: String,
    state: String,
    disabled_because: Option<String>,
    failing_since: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
    former_secret_until: Option<OffsetDateTime>,
}

impl TryFrom<Row> for Webhook {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = WebhookId(row.id);
        let corrupt = |what| StoreError::Corrupt {
            what,
            detail: id.to_string(),
        };
        // An event that this version does not know is no reason to hide the rest.
        let events = row
            .events
            .iter()
            .filter_map(|event| EventKind::parse(event))
            .collect();
        let disabled_because = match row.disabled_because {
            None => None,
            Some(word) => Some(
                DisabledBecause::parse(&word)
                    .ok_or_else(|| corrupt("webhook_endpoints.disabled_because"))?,
            ),
        };
        Ok(Self {
            id,
            url: row.url,
            description: row.description,
            events,
            customer_numbers: CustomerNumbers::parse(&row.customer_numbers)
                .ok_or_else(|| corrupt("webhook_endpoints.customer_numbers"))?,
            state: EndpointState::parse(&row.state)
                .ok_or_else(|| corrupt("webhook_endpoints.state"))?,
            disabled_because,
            failing_since: from_db_opt(row.failing_since)?,
            created_at: from_db(row.created_at)?,
            former_secret_until: from_db_opt(row.former_secret_until)?,
        })
    }
}

fn words(events: &[EventKind]) -> Vec<String> {
    events.iter().map(|kind| kind.as_str().to_owned()).collect()
}

impl TenantTx {
    pub async fn webhook_insert(
        &mut self,
        webhook: &Webhook,
        sealed_secret: &[u8],
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "insert into webhook_endpoints
                 (tenant_id, id, url, description, events, customer_numbers, state, secret, created_at, failures, next_turn_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $9)",
            tenant_id,
            webhook.id.0,
            webhook.url,
            webhook.description,
            &words(&webhook.events),
            webhook.customer_numbers.as_str(),
            webhook.state.as_str(),
            sealed_secret,
            to_db(webhook.created_at),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// In the order of their making, those after `after`.
    pub async fn webhook_list(
        &mut self,
        after: Option<WebhookId>,
        limit: i64,
    ) -> Result<Vec<Webhook>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            "select id, url, description, events, customer_numbers, state, disabled_because, failing_since, created_at,
                 former_secret_until
             from webhook_endpoints
             where tenant_id = $1 and ($2::uuid is null or id > $2) order by id limit $3",
            tenant_id,
            after.map(|id| id.0),
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(Webhook::try_from).collect()
    }

    pub async fn webhook_get(&mut self, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select id, url, description, events, customer_numbers, state, disabled_because, failing_since, created_at,
                 former_secret_until
             from webhook_endpoints where tenant_id = $1 and id = $2",
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Webhook::try_from).transpose()
    }

    /// As [`Self::webhook_get`], for a change: nobody else changes it before this transaction ends. Messages that are being stored
    /// meanwhile are no matter.
    pub async fn webhook_lock(&mut self, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "select id from webhook_endpoints where tenant_id = $1 and id = $2 for no key update",
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        self.webhook_get(id).await
    }

    /// Writes what a tenant can change. One that begins anew is as if it had never failed, and what a turn still says of the
    /// time before goes nowhere.
    pub async fn webhook_update(
        &mut self,
        webhook: &Webhook,
        anew: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update webhook_endpoints set url = $3, description = $4, events = $5, customer_numbers = $6,
                 state = $7, disabled_because = $8,
                 failing_since = case when $9 then null else failing_since end,
                 failures = case when $9 then 0 else failures end,
                 next_turn_at = case when $9 then $10 else next_turn_at end,
                 lease_token = case when $9 then null else lease_token end,
                 lease_expires_at = case when $9 then null else lease_expires_at end
             where tenant_id = $1 and id = $2",
            tenant_id,
            webhook.id.0,
            webhook.url,
            webhook.description,
            &words(&webhook.events),
            webhook.customer_numbers.as_str(),
            webhook.state.as_str(),
            webhook.disabled_because.map(DisabledBecause::as_str),
            anew,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The new secret signs from now on; the present one too, until `former_until`.
    pub async fn webhook_rotate(
        &mut self,
        id: WebhookId,
        sealed_secret: &[u8],
        former_until: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update webhook_endpoints set secret = $3, former_secret = secret, former_secret_until = $4
             where tenant_id = $1 and id = $2",
            tenant_id,
            id.0,
            sealed_secret,
            to_db(former_until),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Its deliveries go with it.
    pub async fn webhook_delete(&mut self, id: WebhookId) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let done = sqlx::query!(
            "delete from webhook_endpoints where tenant_id = $1 and id = $2",
            tenant_id,
            id.0,
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
