//! What a request needs the right to: one question for each table it touches, or for the stream it reads.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// An action on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    pub action: String,
    pub resource: String,
}

/// `own` is how ARNs of the caller's databases begin; `stream_of` knows the stream of a table that iterators were given
/// out for.
pub fn needed(
    operation: &str,
    body: &Value,
    own: &str,
    stream_of: impl Fn(&str) -> Option<String>,
) -> Vec<Needed> {
    let action = format!("dynamodb:{operation}");
    let one = |resource: String| {
        vec![Needed {
            action: action.clone(),
            resource,
        }]
    };
    let text = |member: &str| body.get(member).and_then(Value::as_str);
    match operation {
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = body.get("RequestItems").and_then(Value::as_object);
            let tables = tables.into_iter().flat_map(|tables| tables.keys());
            let each = tables.flat_map(|name| one(table(own, name)));
            or_everything(each.collect(), &action)
        }
        "TransactGetItems" | "TransactWriteItems" => {
            let steps = body.get("TransactItems").and_then(Value::as_array);
            let steps = steps.into_iter().flatten().filter_map(Value::as_object);
            let each = steps.flatten().map(|(kind, step)| Needed {
                action: step_action(kind),
                resource: table(own, step["TableName"].as_str().unwrap_or("*")),
            });
            or_everything(each.collect(), &action)
        }
        "GetRecords" => {
            let name = text("ShardIterator").and_then(table_of_iterator);
            let stream = name.map(|name| {
                stream_of(&name).unwrap_or_else(|| format!("{}/stream/*", table(own, &name)))
            });
            one(stream.unwrap_or_else(|| "*".to_owned()))
        }
        // Neither is tied to a resource.
        "ListTables" | "ListStreams" => one("*".to_owned()),
        _ => {
            let named = text("StreamArn")
                .or_else(|| text("ResourceArn"))
                .map(str::to_owned);
            let named = named.or_else(|| Some(table(own, text("TableName")?)));
            one(named.unwrap_or_else(|| "*".to_owned()))
        }
    }
}

/// A request that names nothing is refused by the database; until then only who may do everything gets that far.
fn or_everything(needed: Vec<Needed>, action: &str) -> Vec<Needed> {
    if needed.is_empty() {
        return vec![Needed {
            action: action.to_owned(),
            resource: "*".to_owned(),
        }];
    }
    needed
}

fn table(own: &str, name: &str) -> String {
    if name.starts_with("arn:") {
        name.to_owned()
    } else {
        format!("{own}table/{name}")
    }
}

fn step_action(kind: &str) -> String {
    match kind {
        "ConditionCheck" => "dynamodb:ConditionCheckItem".to_owned(),
        kind => format!("dynamodb:{kind}Item"),
    }
}

/// The embedded server's iterators say which table they are of.
fn table_of_iterator(iterator: &str) -> Option<String> {
    let inner: Value = serde_json::from_slice(&STANDARD.decode(iterator).ok()?).ok()?;
    Some(inner["table_name"].as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OWN: &str = "arn:aws:dynamodb:us-east-1:1:";

    fn asked(operation: &str, body: Value) -> Vec<(String, String)> {
        let stream = |name: &str| {
            (name == "known").then(|| format!("{OWN}table/known/stream/2026-11-25T10:00:00.000"))
        };
        let needed = needed(operation, &body, OWN, stream).into_iter();
        needed
            .map(|one| (one.action, one.resource.replace(OWN, "")))
            .collect()
    }

    fn pair(action: &str, resource: &str) -> (String, String) {
        (format!("dynamodb:{action}"), resource.to_owned())
    }

    #[test]
    fn each_table_is_asked_for_under_what_is_done_to_it() {
        assert_eq!(
            asked("PutItem", json!({"TableName": "t"})),
            [pair("PutItem", "table/t")]
        );
        assert_eq!(
            asked(
                "PutItem",
                json!({"TableName": "arn:aws:dynamodb:us-east-1:2:table/t"})
            ),
            [pair("PutItem", "arn:aws:dynamodb:us-east-1:2:table/t")]
        );
        assert_eq!(
            asked("BatchGetItem", json!({"RequestItems": {"a": {}, "b": {}}})),
            [
                pair("BatchGetItem", "table/a"),
                pair("BatchGetItem", "table/b")
            ]
        );
        let steps = json!({"TransactItems": [
            {"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}, {"Delete": {"TableName": "c"}}]});
        assert_eq!(
            asked("TransactWriteItems", steps),
            [
                pair("PutItem", "table/a"),
                pair("ConditionCheckItem", "table/b"),
                pair("DeleteItem", "table/c")
            ]
        );
        assert_eq!(asked("ListTables", json!({})), [pair("ListTables", "*")]);
    }

    #[test]
    fn records_are_asked_for_under_their_stream() {
        let iterator = |name: &str| {
            let inner = json!({"table_name": name, "shard_id": "s", "position": 0});
            json!({"ShardIterator": STANDARD.encode(inner.to_string())})
        };
        assert_eq!(
            asked("GetRecords", iterator("known")),
            [pair(
                "GetRecords",
                "table/known/stream/2026-11-25T10:00:00.000"
            )]
        );
        assert_eq!(
            asked("GetRecords", iterator("other")),
            [pair("GetRecords", "table/other/stream/*")]
        );
        assert_eq!(
            asked("GetRecords", json!({"ShardIterator": "nonsense"})),
            [pair("GetRecords", "*")]
        );
    }
}
