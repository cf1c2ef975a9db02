//! The table of decision records; its stream carries them to the control plane.
//!
//! The record settles which answer a contact gets when it is delivered more than once: once one delivery has put down a
//! denial, no other lets the contact go, and once one has settled that it goes, no other denies it.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use ringfence_policy::wire::v1::{DecisionRecord, NoticeStatus, Outcome};
use tokio::time::Instant;

use super::backoff::Backoff;
use super::failure::{Class, Failure};

const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;
const OPERATION: &str = "recording the decision";
const CORRECTING: &str = "correcting the decision";
const DENIED: &str = "denied";
const RECORD: &str = "record";
const SETTLED: &str = "settled";
const QUEUE_FULL: &str = "queue_full";

/// What a record that is put means for other deliveries of the same contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// The first word, beside the counting: taken back by a denial, and written only where there is none yet.
    Provisional,
    /// The contact goes, unless it has been denied; from now on nobody denies it.
    LetGo,
    /// The contact is denied, unless it has been let go or denied before.
    Deny,
    /// What came of a denial, unless it is known already that the agent's queue was full: only a notice that has been
    /// concluded meets a queue, so whoever comes later is a repeated delivery that knows less.
    Conclude,
}

impl Intent {
    fn condition(self) -> &'static str {
        match self {
            Self::Provisional => "attribute_not_exists(pk)",
            Self::LetGo => "attribute_not_exists(pk) OR NOT #denied = :yes",
            Self::Deny => {
                "attribute_not_exists(pk) OR (NOT #denied = :yes AND NOT #settled = :yes)"
            }
            Self::Conclude => {
                "attribute_not_exists(pk) OR (NOT #settled = :yes AND attribute_not_exists(#queue_full))"
            }
        }
    }
}

/// What is on record of a contact already, where that kept a new record from being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) denied: bool,
    pub(crate) settled: bool,
    /// Absent where this version cannot read it.
    pub(crate) record: Option<DecisionRecord>,
}

impl Standing {
    /// It goes uncounted, because its number is on the list.
    pub(crate) fn is_exempt(&self) -> bool {
        let record = self.record.as_ref();
        self.settled && record.is_some_and(|record| record.outcome == Outcome::Exempt)
    }

    fn of(item: Option<HashMap<String, AttributeValue>>) -> Self {
        let mut item = item.unwrap_or_default();
        let mut is = |name| matches!(item.remove(name), Some(AttributeValue::Bool(true)));
        let (denied, settled) = (is(DENIED), is(SETTLED));
        let record = match item.get(RECORD) {
            Some(AttributeValue::S(text)) => serde_json::from_str(text).ok(),
            _ => None,
        };
        Self {
            denied,
            settled,
            record,
        }
    }
}

pub(crate) struct DecisionTable {
    client: Client,
    table: String,
}

impl DecisionTable {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Writes the record; else returns what stands against it.
    pub(crate) async fn put(
        &self,
        record: &DecisionRecord,
        intent: Intent,
    ) -> Result<Option<Standing>, Failure> {
        let text = serde_json::to_string(record)
            .map_err(|_| Failure::new(OPERATION, "not_writable", Class::Permanent))?;
        let key = format!("{}#{}", record.instance_arn, record.contact_id);
        let expires_at = record.at.as_second().saturating_add(KEPT_SECONDS);
        let mut request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", AttributeValue::S(key))
            .item(RECORD, AttributeValue::S(text))
            .item("ttl", AttributeValue::N(expires_at.to_string()))
            .condition_expression(intent.condition())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if matches!(intent, Intent::Deny | Intent::Conclude) {
            request = request
                .item(DENIED, AttributeValue::Bool(true))
                .expression_attribute_names("#settled", SETTLED);
        }
        if intent == Intent::Conclude {
            request = request.expression_attribute_names("#queue_full", QUEUE_FULL);
        }
        if matches!(intent, Intent::LetGo | Intent::Deny) {
            request = request.expression_attribute_names("#denied", DENIED);
        }
        if intent == Intent::LetGo {
            request = request.item(SETTLED, AttributeValue::Bool(true));
        }
        if intent != Intent::Provisional {
            request = request.expression_attribute_values(":yes", AttributeValue::Bool(true));
        }
        let Err(err) = request.send().await else {
            return Ok(None);
        };
        let failure = Failure::of(OPERATION, &err);
        match err.into_service_error() {
            PutItemError::ConditionalCheckFailedException(refused) => {
                Ok(Some(Standing::of(refused.item)))
            }
            _ => Err(failure),
        }
    }

    /// The agent was not told after all. Whoever decided may not have written its last word yet, which would hide this one:
    /// it is waited for until `until`. False: there is nothing to correct.
    pub(crate) async fn notice_met_a_full_queue(
        &self,
        instance_arn: &str,
        contact_id: &str,
        until: Instant,
    ) -> Result<bool, Failure> {
        let mut backoff = Backoff::new(until, contact_id);
        let key = AttributeValue::S(format!("{instance_arn}#{contact_id}"));
        loop {
            let Some(mut item) = self.item(&key).await? else {
                return Ok(false);
            };
            let Some(AttributeValue::S(seen)) = item.remove(RECORD) else {
                return Ok(false);
            };
            let mut record: DecisionRecord = serde_json::from_str(&seen)
                .map_err(|_| Failure::new(CORRECTING, "record_unreadable", Class::Permanent))?;
            match record.notice {
                NoticeStatus::NotNeeded if backoff.wait().await => continue,
                NoticeStatus::NotNeeded | NoticeStatus::Sent | NoticeStatus::Deferred => {}
                _ => return Ok(false),
            }
            record.notice = NoticeStatus::QueueFull;
            let text = serde_json::to_string(&record)
                .map_err(|_| Failure::new(CORRECTING, "not_writable", Class::Permanent))?;
            item.insert(RECORD.to_owned(), AttributeValue::S(text));
            item.insert(QUEUE_FULL.to_owned(), AttributeValue::Bool(true));
            match self.replace(item, seen).await {
                Ok(()) => return Ok(true),
                Err(failure) if failure.class == Class::Condition && backoff.wait().await => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn item(
        &self,
        key: &AttributeValue,
    ) -> Result<Option<HashMap<String, AttributeValue>>, Failure> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", key.clone())
            .consistent_read(true);
        let answer = request
            .send()
            .await
            .map_err(|err| Failure::of(CORRECTING, &err))?;
        Ok(answer.item)
    }

    async fn replace(
        &self,
        item: HashMap<String, AttributeValue>,
        seen: String,
    ) -> Result<(), Failure> {
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("#record = :seen")
            .expression_attribute_names("#record", RECORD)
            .expression_attribute_values(":seen", AttributeValue::S(seen));
        request
            .send()
            .await
            .map(drop)
            .map_err(|err| Failure::of(CORRECTING, &err))
    }
}
