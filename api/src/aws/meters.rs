//! Meters, in the limiters' table of a region. Read here, and written by limiters alone.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ringfence_policy::{Log, MeterKey};

use super::error::AwsError;

const LOG: &str = "log";
const PAST: &str = "past";

/// The table `ringfence-meters` of one region.
#[derive(Debug, Clone)]
pub struct MeterTable {
    client: Client,
    table: String,
}

impl MeterTable {
    pub(super) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// What stands in the meter's line now; nothing in that of one that nobody has used.
    pub async fn read(&self, key: &MeterKey) -> Result<Log, AwsError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.stored()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|err| AwsError::from_sdk("dynamodb:GetItem", &err))?;
        let mut item = answer.item.unwrap_or_default();
        let places = match item.remove(LOG) {
            Some(AttributeValue::L(places)) => places,
            _ => Vec::new(),
        };
        let past = item.remove(PAST);
        Ok(Log::decode(
            past.as_ref().map(bytes),
            places.iter().map(bytes),
        ))
    }
}

fn bytes(value: &AttributeValue) -> &[u8] {
    match value {
        AttributeValue::B(blob) => blob.as_ref(),
        _ => &[],
    }
}
