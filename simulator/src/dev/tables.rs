//! The limiter's tables, as deploy/operator.yaml makes them in production: one string key, pay per request, expiry, a
//! stream on decisions.

use std::time::Duration;

use serde_json::{Value, json};

use super::aws::Aws;
use super::wait::{Seen, until};
use super::{DevError, Result};

const ACTIVE_WITHIN: Duration = Duration::from_secs(20);

struct Table {
    name: &'static str,
    stream: bool,
}

const TABLES: [Table; 3] = [
    Table {
        name: "ringfence-policies",
        stream: false,
    },
    Table {
        name: "ringfence-meters",
        stream: false,
    },
    Table {
        name: "ringfence-decisions",
        stream: true,
    },
];

pub async fn create(aws: &Aws, region: &str) -> Result<()> {
    for table in &TABLES {
        aws.dynamodb(region, "CreateTable", &definition(table))
            .await?;
        until(
            &format!("table {}", table.name),
            ACTIVE_WITHIN,
            Duration::from_millis(50),
            async || {
                let answer = aws
                    .dynamodb(region, "DescribeTable", &json!({ "TableName": table.name }))
                    .await?;
                match answer["Table"]["TableStatus"].as_str() {
                    Some("ACTIVE") => Ok(Seen::Done(())),
                    status => Ok(Seen::not_yet(status.unwrap_or("no status"))),
                }
            },
        )
        .await?;
        let expiry = json!({ "Enabled": true, "AttributeName": "ttl" });
        let request = json!({ "TableName": table.name, "TimeToLiveSpecification": expiry });
        aws.dynamodb(region, "UpdateTimeToLive", &request).await?;
    }
    Ok(())
}

fn definition(table: &Table) -> Value {
    let mut definition = json!({
        "TableName": table.name,
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    if table.stream {
        definition["StreamSpecification"] =
            json!({ "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" });
    }
    definition
}

/// One item as plain JSON, or nothing; for looking at what a program wrote.
pub async fn item(aws: &Aws, region: &str, table: &str, pk: &str) -> Result<Option<Value>> {
    let request =
        json!({ "TableName": table, "Key": { "pk": { "S": pk } }, "ConsistentRead": true });
    let answer = aws.dynamodb(region, "GetItem", &request).await?;
    match &answer["Item"] {
        Value::Null => Ok(None),
        item @ Value::Object(_) => Ok(Some(item.clone())),
        other => Err(DevError::Unexpected(format!(
            "an item that is no object: {other}"
        ))),
    }
}
