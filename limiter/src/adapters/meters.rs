//! The table of meters: append and see the line; mark one's own entries; remove dead ones and fold old ones.
//!
//! Places in a log shift when somebody compacts it, so every change of a place is conditional on what stands there.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use ringfence_policy::{Compaction, ContactKey, Entry, EntryStatus, Log, MeterKey};

use super::failure::{Class, Failure};

const LOG: &str = "log";
const PAST: &str = "past";
/// How often a mark is tried again because the places had shifted.
const MARK_ATTEMPTS: usize = 6;
/// Keeps the expression well under DynamoDB's 4 KB and 300 operators.
pub(crate) const COMPACTED_AT_ONCE: usize = 64;

type Item = HashMap<String, AttributeValue>;

/// What a log cannot give back as it is stored, but a change of the meter is conditional on.
#[derive(Debug, Default)]
pub(crate) struct AsStored {
    past: Option<AttributeValue>,
    /// Places that hold nothing readable.
    unreadable: Vec<(usize, AttributeValue)>,
}

/// A meter's log as it was read.
#[derive(Debug, Default)]
pub(crate) struct StoredLog {
    pub(crate) log: Log,
    pub(crate) as_stored: AsStored,
}

impl StoredLog {
    fn of(item: Option<Item>) -> Self {
        let mut item = item.unwrap_or_default();
        let places = match item.remove(LOG) {
            Some(AttributeValue::L(places)) => places,
            _ => Vec::new(),
        };
        let past = item.remove(PAST);
        let log = Log::decode(past.as_ref().map(bytes), places.iter().map(bytes));
        let unreadable = if log.malformed() == 0 {
            Vec::new()
        } else {
            places
                .into_iter()
                .enumerate()
                .filter(|(place, _)| matches!(log.places().get(*place), Some(None)))
                .collect()
        };
        Self {
            log,
            as_stored: AsStored { past, unreadable },
        }
    }
}

fn bytes(value: &AttributeValue) -> &[u8] {
    match value {
        AttributeValue::B(blob) => blob.as_ref(),
        _ => &[],
    }
}

pub(crate) struct MeterTable {
    client: Client,
    table: String,
}

impl MeterTable {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    fn update(&self, key: &MeterKey) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.as_str().to_owned()))
            .expression_attribute_names("#log", LOG)
    }

    /// Appends and returns the log as it then stands: its order is the order of arrival.
    pub(crate) async fn append(
        &self,
        key: &MeterKey,
        entry: Entry,
        expires_at: i64,
    ) -> Result<StoredLog, Failure> {
        let request = self
            .update(key)
            .update_expression(
                "SET #log = list_append(if_not_exists(#log, :none), :entry), #ttl = :ttl",
            )
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":entry", AttributeValue::L(vec![stored(&entry)]))
            .expression_attribute_values(":ttl", AttributeValue::N(expires_at.to_string()))
            .return_values(ReturnValue::AllNew);
        match request.send().await {
            Ok(answer) => Ok(StoredLog::of(answer.attributes)),
            Err(err) => Err(Failure::of("counting", &err)),
        }
    }

    /// The log as it stands now.
    pub(crate) async fn read(&self, key: &MeterKey) -> Result<StoredLog, Failure> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.as_str().to_owned()))
            .consistent_read(true);
        match request.send().await {
            Ok(answer) => Ok(StoredLog::of(answer.item)),
            Err(err) => Err(Failure::of("reading a meter", &err)),
        }
    }

    /// Gives all of a contact's entries that count as admitted another status. Repeated deliveries and repeated requests
    /// may have left several.
    pub(crate) async fn mark(
        &self,
        key: &MeterKey,
        contact: ContactKey,
        status: EntryStatus,
        seen: &Log,
    ) -> Result<(), Failure> {
        let mut request = self.mark_request(key, contact, status, seen);
        for _ in 0..MARK_ATTEMPTS {
            let Some(mark) = request else {
                return Ok(());
            };
            match mark.send().await {
                Ok(_) => return Ok(()),
                Err(err) => {
                    let seen = shifted("marking", err)?;
                    request = self.mark_request(key, contact, status, &seen.log);
                }
            }
        }
        Err(Failure::new("marking", "contended", Class::Condition))
    }

    fn mark_request(
        &self,
        key: &MeterKey,
        contact: ContactKey,
        status: EntryStatus,
        seen: &Log,
    ) -> Option<UpdateItemFluentBuilder> {
        let mut request = self
            .update(key)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let (mut sets, mut conditions) = (Vec::new(), Vec::new());
        for place in seen.places_of(contact, EntryStatus::Admitted) {
            let entry = (*seen.places().get(place)?)?;
            sets.push(format!("#log[{place}] = :new{place}"));
            conditions.push(format!("#log[{place}] = :old{place}"));
            request = request
                .expression_attribute_values(
                    format!(":new{place}"),
                    stored(&Entry { status, ..entry }),
                )
                .expression_attribute_values(format!(":old{place}"), stored(&entry));
        }
        if sets.is_empty() {
            return None;
        }
        Some(
            request
                .update_expression(format!("SET {}", sets.join(", ")))
                .condition_expression(conditions.join(" AND ")),
        )
    }

    /// The request that removes places and writes what is remembered of them.
    pub(crate) fn compact(
        &self,
        key: &MeterKey,
        seen: &Log,
        as_stored: &AsStored,
        compaction: &Compaction,
    ) -> Option<Compacting> {
        let mut request = self.update(key);
        let (mut removed, mut conditions) = (Vec::new(), Vec::new());
        for place in compaction.remove.iter().rev() {
            let value = match seen.places().get(*place)? {
                Some(entry) => stored(entry),
                None => as_stored
                    .unreadable
                    .iter()
                    .find(|(odd, _)| odd == place)?
                    .1
                    .clone(),
            };
            removed.push(format!("#log[{place}]"));
            conditions.push(format!("#log[{place}] = :old{place}"));
            request = request.expression_attribute_values(format!(":old{place}"), value);
        }
        // The last first: a server that shifts the list after each removal takes the same places.
        let mut update = format!("REMOVE {}", removed.join(", "));
        if let Some(past) = &compaction.past {
            update.push_str(" SET #past = :past");
            let past = AttributeValue::B(Blob::new(past.as_slice()));
            request = request
                .expression_attribute_names("#past", PAST)
                .expression_attribute_values(":past", past);
            match &as_stored.past {
                Some(before) => {
                    conditions.push("#past = :before".to_owned());
                    request = request.expression_attribute_values(":before", before.clone());
                }
                None => conditions.push("attribute_not_exists(#past)".to_owned()),
            }
        }
        Some(Compacting(
            request
                .update_expression(update)
                .condition_expression(conditions.join(" AND ")),
        ))
    }
}

/// A compaction that is ready to be sent. It may wait: it is refused where a place, or the past, has changed since.
pub(crate) struct Compacting(UpdateItemFluentBuilder);

impl Compacting {
    /// Where the log has shifted meanwhile somebody else has just compacted it, which is as good.
    pub(crate) async fn send(self) -> Result<(), Failure> {
        match self.0.send().await {
            Ok(_) => Ok(()),
            Err(err) => shifted("compacting", err).map(|_| ()),
        }
    }
}

fn stored(entry: &Entry) -> AttributeValue {
    AttributeValue::B(Blob::new(entry.encode()))
}

/// The log as it stands where a condition failed; any other error stays one.
fn shifted(
    operation: &'static str,
    err: SdkError<UpdateItemError, aws_sdk_dynamodb::config::http::HttpResponse>,
) -> Result<StoredLog, Failure> {
    let failure = Failure::of(operation, &err);
    match err.into_service_error() {
        UpdateItemError::ConditionalCheckFailedException(refused) => {
            Ok(StoredLog::of(refused.item))
        }
        _ => Err(failure),
    }
}
