//! Decision records, in the limiters' table of a region. They come back by the table's stream; here they are only erased.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

use super::error::AwsError;

/// The table `ringfence-decisions` of one region.
#[derive(Debug, Clone)]
pub struct DecisionRecords {
    client: Client,
    table: String,
}

impl DecisionRecords {
    pub(super) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Harmless when done twice. The stream tells of it by a record without content, which nobody reads.
    pub async fn erase(&self, instance_arn: &str, contact_id: &str) -> Result<(), AwsError> {
        let key = AttributeValue::S(format!("{instance_arn}#{contact_id}"));
        self.client
            .delete_item()
            .table_name(&self.table)
            .key("pk", key)
            .send()
            .await
            .map(drop)
            .map_err(|err| AwsError::from_sdk("dynamodb:DeleteItem", &err))
    }
}
