//! The table that limiters read their policies from. Written forwards only.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use serde_json::Value;

use super::error::{AwsError, AwsErrorKind};

/// What became of a snapshot that was to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    Now,
    /// The table holds this revision or a later one, and keeps it.
    Kept {
        revision: u64,
        /// Whose snapshot it is, where that can be read.
        instance_id: Option<String>,
    },
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
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Written::Now),
            Err(err) => match err.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(kept(failed.item(), revision))
                }
                _ => Err(AwsError::from_sdk("dynamodb:PutItem", &err)),
            },
        }
    }

    /// Takes the instance out of the table, unless what is there is later than `up_to`: then somebody else put it
    /// there. Limiters treat an instance that is not there as unregistered.
    pub async fn delete(&self, instance_arn: &str, up_to: u64) -> Result<(), AwsError> {
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(instance_arn.to_owned()))
            .condition_expression("attribute_not_exists(pk) OR revision <= :r")
            .expression_attribute_values(":r", AttributeValue::N(up_to.to_string()))
            .send()
            .await
            .map_err(|err| AwsError::from_sdk("dynamodb:DeleteItem", &err));
        match answer {
            Err(err) if err.kind != AwsErrorKind::ConditionFailed => Err(err),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

fn kept(item: Option<&HashMap<String, AttributeValue>>, asked: u64) -> Written {
    let revision = item
        .and_then(|item| item.get("revision"))
        .and_then(|value| value.as_n().ok())
        .and_then(|number| number.parse().ok());
    let instance_id = item
        .and_then(|item| item.get("snapshot"))
        .and_then(|value| value.as_s().ok())
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .and_then(|snapshot| {
            snapshot
                .get("instance_id")
                .and_then(Value::as_str)
                .map(str::to_owned)
        });
    Written::Kept {
        revision: revision.unwrap_or(asked),
        instance_id,
    }
}
