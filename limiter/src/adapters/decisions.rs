//! The table of decision records; its stream carries them to the control plane.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use ringfence_policy::wire::v1::DecisionRecord;

use super::failure::{Class, Failure};

const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;
const OPERATION: &str = "recording the decision";
const DENIED: &str = "denied";

pub(crate) struct DecisionTable {
    client: Client,
    table: String,
}

impl DecisionTable {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Writes the record if there is none for the contact yet; else returns the one there is.
    pub(crate) async fn put_first(
        &self,
        record: &DecisionRecord,
    ) -> Result<Option<DecisionRecord>, Failure> {
        let request = self
            .put(record)?
            .condition_expression("attribute_not_exists(pk)");
        Self::sent(request).await
    }

    /// Writes what is final. A denial stands against any later record of the same contact that lets it go: then nothing
    /// is written, and the denial is returned.
    pub(crate) async fn put_final(
        &self,
        record: &DecisionRecord,
    ) -> Result<Option<DecisionRecord>, Failure> {
        let mut request = self.put(record)?;
        if !record.outcome.is_denied() {
            request = request
                .condition_expression("attribute_not_exists(pk) OR NOT #denied = :denied")
                .expression_attribute_names("#denied", DENIED)
                .expression_attribute_values(":denied", AttributeValue::Bool(true));
        }
        Self::sent(request).await
    }

    /// The record that stands in the way of this one, if any.
    async fn sent(request: PutItemFluentBuilder) -> Result<Option<DecisionRecord>, Failure> {
        let request = request
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(err) = request.send().await else {
            return Ok(None);
        };
        let failure = Failure::of(OPERATION, &err);
        let PutItemError::ConditionalCheckFailedException(refused) = err.into_service_error()
        else {
            return Err(failure);
        };
        let item = refused.item.unwrap_or_default();
        let earlier = match item.get("record") {
            Some(AttributeValue::S(text)) => serde_json::from_str(text).ok(),
            _ => None,
        };
        Ok(earlier)
    }

    fn put(&self, record: &DecisionRecord) -> Result<PutItemFluentBuilder, Failure> {
        let text = serde_json::to_string(record)
            .map_err(|_| Failure::new(OPERATION, "not_writable", Class::Permanent))?;
        let key = format!("{}#{}", record.instance_arn, record.contact_id);
        let expires_at = record.at.as_second().saturating_add(KEPT_SECONDS);
        Ok(self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", AttributeValue::S(key))
            .item("record", AttributeValue::S(text))
            .item(DENIED, AttributeValue::Bool(record.outcome.is_denied()))
            .item("ttl", AttributeValue::N(expires_at.to_string())))
    }
}
