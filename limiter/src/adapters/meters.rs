//! The table of meters: where a meter is kept, and appending to it, which shows the line.
//!
//! Failure: what cannot be read in a meter counts for nothing and is told apart, so that one bad write stops no line.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use ringfence_policy::{Entry, Log, MeterKey, Scope};

use super::failure::Failure;
use super::stores::Stores;

const LOG: &str = "log";
pub(super) const PAST: &str = "past";

type Item = HashMap<String, AttributeValue>;

/// What a log cannot give back as it is stored, but a change of the meter is conditional on.
#[derive(Debug, Default)]
pub(crate) struct AsStored {
    pub(super) past: Option<AttributeValue>,
    /// Places that hold nothing readable.
    pub(super) unreadable: Vec<(usize, AttributeValue)>,
}

/// A meter's log as it was read.
#[derive(Debug, Default)]
pub(crate) struct StoredLog {
    pub(crate) log: Log,
    pub(crate) as_stored: AsStored,
}

impl StoredLog {
    pub(super) fn of(item: Option<Item>) -> Self {
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
    stores: Stores,
    table: Arc<str>,
}

impl MeterTable {
    pub(crate) fn new(stores: Stores, table: String) -> Self {
        Self {
            stores,
            table: table.into(),
        }
    }

    /// A tenant's shared meters are kept in its home region, all others in one's own.
    pub(crate) fn meter(&self, key: &MeterKey, home_region: Option<&str>) -> Meter {
        let region = home_region.filter(|_| key.scope() == Scope::Tenant);
        Meter {
            client: self.stores.of(region),
            table: self.table.clone(),
            pk: key.stored(),
        }
    }
}

/// One meter's item in the store.
pub(crate) struct Meter {
    client: Client,
    table: Arc<str>,
    pk: String,
}

impl Meter {
    pub(super) fn update(&self) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(self.table.as_ref())
            .key("pk", AttributeValue::S(self.pk.clone()))
            .expression_attribute_names("#log", LOG)
    }

    /// Appends and returns the log as it then stands: its order is the order of arrival.
    pub(crate) async fn append(&self, entry: Entry, expires_at: i64) -> Result<StoredLog, Failure> {
        let request = self
            .update()
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
}

pub(super) fn stored(entry: &Entry) -> AttributeValue {
    AttributeValue::B(Blob::new(entry.encode()))
}
