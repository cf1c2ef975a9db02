//! What stands in decisions about a number: with what it was called, and taking the number out.
//!
//! Invariant: what decisions count stays; a decision whose number was erased takes no other record any more (`ingest`).

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::call_events::subject;
use super::time::to_db;
use super::{StoreError, TenantTx};
use crate::domain::ids::{DecisionId, InstanceId};
use crate::domain::phone::PhoneNumber;
use crate::domain::webhook::EventKind;

/// With what a customer was called, as far as records tell: what rules may count per beside the customer.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tried {
    pub caller_id: Option<String>,
    pub agent_arn: Option<String>,
    pub queue_arn: Option<String>,
}

/// A decision that a number stands in.
#[derive(Debug, Clone)]
pub struct NumberDecision {
    pub id: DecisionId,
    pub instance: InstanceId,
    pub contact_id: String,
    /// The number is the customer's; else the caller id.
    pub is_customer: bool,
    pub tried: Tried,
    /// The rules that were asked, as a list of texts.
    pub rules: Value,
}

impl NumberDecision {
    /// What webhooks can have been told of it.
    fn subjects(&self) -> impl Iterator<Item = String> {
        let of_rules = self.rules.as_array().into_iter().flatten();
        let near = of_rules.filter_map(|rule| Some(subject(self.id, Some(rule.as_str()?))));
        near.chain([subject(self.id, None)])
    }
}

/// What was taken out besides decisions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErasedData {
    pub decisions: u64,
    pub meters: u64,
}

impl TenantTx {
    /// Each way in which the number was called from `since` on, by instance, the latest first.
    pub async fn number_tried(
        &mut self,
        number: &PhoneNumber,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<(InstanceId, Tried)>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query!(
            "select instance_id, caller_id, agent_arn, queue_arn from decisions
             where tenant_id = $1 and customer_number = $2 and at >= $3
             group by 1, 2, 3, 4 order by max(at) desc limit $4",
            tenant_id,
            number.as_str(),
            to_db(since),
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        let found = rows.into_iter().map(|row| {
            let tried = Tried {
                caller_id: row.caller_id,
                agent_arn: row.agent_arn,
                queue_arn: row.queue_arn,
            };
            (InstanceId(row.instance_id), tried)
        });
        Ok(found.collect())
    }

    /// Decisions up to `until` that hold the number, as the customer's or as the caller id.
    pub async fn number_decisions(
        &mut self,
        number: &PhoneNumber,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<NumberDecision>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query!(
            r#"select id, instance_id, contact_id, coalesce(customer_number = $2, false) as "is_customer!",
                   caller_id, agent_arn, queue_arn,
                   jsonb_path_query_array(record, '$.rules[*].rule_id') as "rules!"
             from decisions
             where tenant_id = $1 and (customer_number = $2 or caller_id = $2) and at <= $3 limit $4"#,
            tenant_id,
            number.as_str(),
            to_db(until),
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        let found = rows.into_iter().map(|row| NumberDecision {
            id: DecisionId(row.id),
            instance: InstanceId(row.instance_id),
            contact_id: row.contact_id,
            is_customer: row.is_customer,
            tried: Tried {
                caller_id: row.caller_id,
                agent_arn: row.agent_arn,
                queue_arn: row.queue_arn,
            },
            rules: row.rules,
        });
        Ok(found.collect())
    }

    /// Whether the number is the caller id of any decision.
    pub async fn number_is_caller_id(&mut self, number: &PhoneNumber) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let found = sqlx::query_scalar!(
            r#"select exists (select from decisions where tenant_id = $1 and caller_id = $2) as "found!""#,
            tenant_id,
            number.as_str(),
        )
        .fetch_one(self.connection())
        .await?;
        Ok(found)
    }

    /// Whether the number was taken off a list, and the row that says so is still there.
    pub async fn number_was_listed(&mut self, number: &PhoneNumber) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let found = sqlx::query_scalar!(
            r#"select exists (
                   select from listed_numbers where tenant_id = $1 and number = $2 and removed_at is not null
               ) as "found!""#,
            tenant_id,
            number.as_str(),
        )
        .fetch_one(self.connection())
        .await?;
        Ok(found)
    }

    /// Takes the number out of decisions, and out of what webhooks were or are to be told of them.
    pub async fn number_erase_decisions(
        &mut self,
        number: &PhoneNumber,
        decisions: &[NumberDecision],
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        let subjects: Vec<String> = decisions.iter().flat_map(|one| one.subjects()).collect();
        let ids: Vec<Uuid> = decisions.iter().map(|one| one.id.0).collect();
        let kinds =
            [EventKind::CallDenied, EventKind::LimitNear].map(|kind| kind.as_str().to_owned());
        // Of a notice that was left to be told only the token stays, by which its end is found.
        sqlx::query!(
            "update decisions set erased = true, record =
                 case when record ->> 'customer_number' = $2 and record ? 'deferred_notice'
                     then jsonb_set(record, '{deferred_notice}', jsonb_build_object('name', '', 'description', '',
                         'attributes', '{}'::jsonb, 'client_token', record #> '{deferred_notice,client_token}'))
                     else record end
                 - case when record ->> 'customer_number' = $2 then array['customer_number'] else array[]::text[] end
                 - case when record ->> 'caller_id' = $2 then array['caller_id'] else array[]::text[] end
             where tenant_id = $1 and id = any($3)",
            tenant_id,
            number.as_str(),
            &ids,
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "update webhook_events set data = data
                 || case when data ->> 'customer_number' = $2 then '{\"customer_number\": null}'::jsonb else '{}' end
                 || case when data ->> 'caller_id' = $2 then '{\"caller_id\": null}'::jsonb else '{}' end
             where tenant_id = $1 and kind = any($3) and subject = any($4)",
            tenant_id,
            number.as_str(),
            &kinds,
            &subjects,
        )
        .execute(self.connection())
        .await?;
        // Receivers may answer with what they were sent.
        sqlx::query!(
            "update webhook_attempts a set answer = null
             from webhook_events e
             where e.tenant_id = $1 and e.kind = any($2) and e.subject = any($3)
                 and a.tenant_id = e.tenant_id and a.event_id = e.id and a.answer is not null",
            tenant_id,
            &kinds,
            &subjects,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Notices about the number, for calls up to `until`, are sent no more.
    pub async fn number_erase_notices(
        &mut self,
        number: &PhoneNumber,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update deferred_notices
             set state = 'expired', task = null, error = 'the number was erased', settled_at = $4,
                 lease_token = null, lease_expires_at = null
             where tenant_id = $1 and state = 'waiting' and denied_at <= $3
                 and task #>> '{attributes,CustomerNumber}' = $2",
            tenant_id,
            number.as_str(),
            to_db(until),
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
