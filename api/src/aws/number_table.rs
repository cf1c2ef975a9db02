//! Listed numbers, in the table that limiters read their policies from. Written forwards only.
//!
//! Per tenant there is a mark beside the numbers: how far the table holds the tenant's lists. It tells a table that was
//! set back, or is new, from one that is only behind.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::error::{AwsError, AwsErrorKind};
use crate::domain::phone::PhoneNumber;

/// Written by us alone, so what is not readable in it is worth an alarm and another try.
const UNREADABLE: &str = "the mark of a tenant's lists has no revision";

/// One number as limiters find it.
#[derive(Debug)]
pub struct NumberItem {
    pub number: PhoneNumber,
    pub revision: u64,
    pub entry: String,
    /// When the table may drop it; it is without effect long before.
    pub droppable_at: Option<Timestamp>,
}

/// One tenant's numbers in the table `ringfence-policies` of one region.
#[derive(Debug, Clone)]
pub struct NumberTable {
    client: Client,
    table: String,
    tenant_id: String,
}

impl NumberTable {
    pub(super) fn new(client: Client, table: String, tenant_id: String) -> Self {
        Self {
            client,
            table,
            tenant_id,
        }
    }

    /// Writes the number unless the table holds this revision of it or a later one.
    pub async fn put(&self, item: NumberItem) -> Result<(), AwsError> {
        let pk = format!("number|{}|{}", self.tenant_id, item.number.as_str());
        let mut request = self
            .forwards(pk, item.revision)
            .item("entry", AttributeValue::S(item.entry));
        if let Some(at) = item.droppable_at {
            request = request.item("ttl", AttributeValue::N(at.as_second().to_string()));
        }
        send(request).await
    }

    /// How far the table holds the tenant's lists; none: not at all.
    pub async fn marked(&self) -> Result<Option<u64>, AwsError> {
        const ACTION: &str = "dynamodb:GetItem";
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(self.mark_key()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|err| AwsError::from_sdk(ACTION, &err))?;
        let Some(item) = answer.item else {
            return Ok(None);
        };
        item.get("revision")
            .and_then(|value| value.as_n().ok())
            .and_then(|number| number.parse().ok())
            .map(Some)
            .ok_or_else(|| AwsError::transient(ACTION, UNREADABLE))
    }

    /// The table holds every change up to this one.
    pub async fn mark(&self, revision: u64) -> Result<(), AwsError> {
        send(self.forwards(self.mark_key(), revision)).await
    }

    fn mark_key(&self) -> String {
        format!("numbers|{}", self.tenant_id)
    }

    fn forwards(&self, pk: String, revision: u64) -> PutItemFluentBuilder {
        let revision = AttributeValue::N(revision.to_string());
        self.client
            .put_item()
            .table_name(&self.table)
            .item("pk", AttributeValue::S(pk))
            .item("revision", revision.clone())
            .condition_expression("attribute_not_exists(pk) OR revision < :r")
            .expression_attribute_values(":r", revision)
    }
}

async fn send(request: PutItemFluentBuilder) -> Result<(), AwsError> {
    let answer = request
        .send()
        .await
        .map_err(|err| AwsError::from_sdk("dynamodb:PutItem", &err));
    match answer {
        Err(err) if err.kind != AwsErrorKind::ConditionFailed => Err(err),
        Ok(_) | Err(_) => Ok(()),
    }
}
