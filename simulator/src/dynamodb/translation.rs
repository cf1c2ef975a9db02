//! Between the names of the caller's account and Region and those of the embedded server, which knows one of each.
//!
//! Operations that carry items are left alone, but for a table named by its ARN: nobody may touch their contents.

use serde_json::Value;

/// How the embedded server's ARNs begin.
const EMBEDDED_ARN: &str = "arn:aws:dynamodb:dynoxide:000000000000:";
/// The embedded server has one shard for each stream and makes its name of the table's, which may be too short or too
/// long for AWS's clients.
const EMBEDDED_SHARD: &str = "shardId-00000001-";
const SHARD: &str = "shardId-00000000000000000001-00000001";

#[derive(Debug)]
pub struct Translation {
    own_arn: String,
    carries_items: bool,
    /// The embedded server's shard, in operations on streams.
    shard: Option<String>,
}

impl Translation {
    pub fn new(operation: &str, asked: &Value, own_arn: &str) -> Self {
        let stream = asked.get("StreamArn").and_then(Value::as_str);
        let table = stream.and_then(|arn| arn.split('/').nth(1));
        Self {
            own_arn: own_arn.to_owned(),
            carries_items: carries_items(operation),
            shard: table.map(|table| format!("{EMBEDDED_SHARD}{table}")),
        }
    }

    /// The request as the embedded server understands it.
    pub fn inwards(&self, body: &[u8], asked: Value) -> Vec<u8> {
        if let Some(body) = self.with_plain_table_name(asked) {
            return body;
        }
        self.replaced(body, |text| {
            let text = text.replace(&self.own_arn, EMBEDDED_ARN);
            match &self.shard {
                Some(shard) => text.replace(SHARD, shard),
                None => text,
            }
        })
    }

    /// The answer as the caller expects it.
    pub fn outwards(&self, body: &[u8]) -> Vec<u8> {
        self.replaced(body, |text| {
            let text = text.replace(EMBEDDED_ARN, &self.own_arn);
            match &self.shard {
                Some(shard) => text.replace(shard, SHARD),
                None => text,
            }
        })
    }

    fn replaced(&self, body: &[u8], replace: impl Fn(&str) -> String) -> Vec<u8> {
        match std::str::from_utf8(body) {
            Ok(text) if !self.carries_items => replace(text).into_bytes(),
            _ => body.to_vec(),
        }
    }

    /// Nothing when the table is not named by its ARN.
    fn with_plain_table_name(&self, mut asked: Value) -> Option<Vec<u8>> {
        let arn = asked.get("TableName")?.as_str()?;
        let name = arn.strip_prefix(&self.own_arn)?.strip_prefix("table/")?;
        asked["TableName"] = Value::String(name.to_owned());
        Some(asked.to_string().into_bytes())
    }
}

fn carries_items(operation: &str) -> bool {
    let beginnings = ["Batch", "Transact", "Execute"];
    let whole = [
        "GetItem",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "Query",
        "Scan",
        "GetRecords",
    ];
    whole.contains(&operation) || beginnings.iter().any(|start| operation.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OWN: &str = "arn:aws:dynamodb:us-east-1:999988887777:";

    fn inwards(operation: &str, asked: &Value) -> Value {
        let translation = Translation::new(operation, asked, OWN);
        let body = translation.inwards(asked.to_string().as_bytes(), asked.clone());
        serde_json::from_slice(&body).expect("JSON")
    }

    #[test]
    fn names_go_in_and_come_out_again() {
        let asked = json!({"StreamArn": format!("{OWN}table/t/stream/1"), "ShardId": SHARD});
        let embedded = json!({"StreamArn": format!("{EMBEDDED_ARN}table/t/stream/1"), "ShardId": "shardId-00000001-t"});
        assert_eq!(inwards("GetShardIterator", &asked), embedded);
        let back = Translation::new("DescribeStream", &asked, OWN);
        let back = back.outwards(embedded.to_string().as_bytes());
        assert_eq!(String::from_utf8_lossy(&back), asked.to_string());
    }

    #[test]
    fn items_are_left_alone_whatever_they_hold() {
        let item = json!({"pk": {"S": format!("{OWN}table/t")}, "other": {"S": EMBEDDED_ARN}});
        let put = json!({"TableName": "t", "Item": item});
        assert_eq!(inwards("PutItem", &put), put);
        let by_arn = json!({"TableName": format!("{OWN}table/t"), "Item": item});
        assert_eq!(inwards("PutItem", &by_arn), put);
        let got = json!({"Item": item}).to_string();
        let answer = Translation::new("GetItem", &put, OWN).outwards(got.as_bytes());
        assert_eq!(String::from_utf8_lossy(&answer), got);
    }
}
