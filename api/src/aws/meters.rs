//! Meters, in the limiters' table of a region. Read here, and written by limiters alone.

use std::fmt::Write as _;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ringfence_policy::{Log, MeterKey};
use sha2::{Digest as _, Sha256};

use super::error::AwsError;

const LOG: &str = "log";
const PAST: &str = "past";
/// In bytes: limiters keep meters of longer keys under a digest.
const KEY_MAX: usize = 1024;

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
            .key("pk", AttributeValue::S(stored_key(key.as_str())))
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

fn stored_key(key: &str) -> String {
    if key.len() <= KEY_MAX {
        return key.to_owned();
    }
    let (owner, _) = key.split_once('|').unwrap_or_default();
    let mut pk = format!("{owner}|sha256|");
    for byte in Sha256::digest(key.as_bytes()) {
        let _ = write!(pk, "{byte:02x}");
    }
    pk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_too_long_for_the_store_becomes_a_digest_behind_its_owner() {
        let key = |value: &str| stored_key(&format!("ten_1|attribute|{value}"));
        assert_eq!(key("short"), "ten_1|attribute|short");
        let (one, other) = (key(&"x".repeat(2000)), key(&"x".repeat(2001)));
        assert!(one.starts_with("ten_1|sha256|") && one.len() < KEY_MAX);
        assert_ne!(one, other);
    }
}
