//! The table of published policies, read only.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ringfence_policy::wire::v1::Snapshot;

use super::failure::{Class, Failure};

#[derive(Clone)]
pub(crate) struct PolicyTable {
    client: Client,
    table: String,
}

impl PolicyTable {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// A document that this version cannot read is a failure, not an absence: the instance is registered.
    pub(crate) async fn read(&self, instance_arn: &str) -> Result<Option<Snapshot>, Failure> {
        self.get(instance_arn, false).await
    }

    /// As [`Self::read`], with everything in it that was written before; at twice the price.
    pub(super) async fn read_latest(
        &self,
        instance_arn: &str,
    ) -> Result<Option<Snapshot>, Failure> {
        self.get(instance_arn, true).await
    }

    async fn get(&self, instance_arn: &str, latest: bool) -> Result<Option<Snapshot>, Failure> {
        const OPERATION: &str = "reading the policy";
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .consistent_read(latest)
            .key("pk", AttributeValue::S(instance_arn.to_owned()));
        let answer = request
            .send()
            .await
            .map_err(|err| Failure::of(OPERATION, &err))?;
        let Some(item) = answer.item else {
            return Ok(None);
        };
        let unreadable = || Failure::new(OPERATION, "snapshot_unreadable", Class::Permanent);
        let Some(AttributeValue::S(text)) = item.get("snapshot") else {
            return Err(unreadable());
        };
        let snapshot: Snapshot = serde_json::from_str(text).map_err(|_| unreadable())?;
        if snapshot.instance_arn == instance_arn {
            Ok(Some(snapshot))
        } else {
            Err(unreadable())
        }
    }
}
