//! The table that limiters read their policies from. Written forwards only.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::error::{AwsError, AwsErrorKind};

/// What became of a snapshot that was to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Now,
    /// The table already holds this revision or a later one.
    AlreadyThere,
}

/// The table `ringfence-policies` of one region.
#[derive(Debug, Clone)]
pub struct SnapshotTable {
    client: Client,
    table: String,
}

impl SnapshotTable {
    pub(super) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Writes the snapshot unless the table holds this revision or a later one.
    pub async fn put(
        &self,
        instance_arn: &str,
        revision: u64,
        snapshot: String,
        published_at: Timestamp,
    ) -> Result<Written, AwsError> {
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", AttributeValue::S(instance_arn.to_owned()))
            .item("revision", AttributeValue::N(revision.to_string()))
            .item("snapshot", AttributeValue::S(snapshot))
            .item("published_at", AttributeValue::S(published_at.to_string()))
            .condition_expression("attribute_not_exists(pk) OR revision < :r")
            .expression_attribute_values(":r", AttributeValue::N(revision.to_string()))
            .send()
            .await
            .map_err(|err| AwsError::from_sdk("dynamodb:PutItem", &err));
        match answer {
            Ok(_) => Ok(Written::Now),
            Err(err) if err.kind == AwsErrorKind::ConditionFailed => Ok(Written::AlreadyThere),
            Err(err) => Err(err),
        }
    }

    /// Takes the instance out of the table; limiters then treat it as unregistered.
    pub async fn delete(&self, instance_arn: &str) -> Result<(), AwsError> {
        self.client
            .delete_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(instance_arn.to_owned()))
            .send()
            .await
            .map(drop)
            .map_err(|err| AwsError::from_sdk("dynamodb:DeleteItem", &err))
    }
}
