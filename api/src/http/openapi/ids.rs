//! Ids in the description: an example tells whose id it is, and the pattern follows from the example.

use serde_json::{Value, json};

const DIGITS: &str = "01890a5d000070008000000000000000";
/// What `{id}` names in a path, by the path's first part.
const RESOURCES: [(&str, &str); 12] = [
    ("api-keys", "key"),
    ("blocks", "ent"),
    ("connections", "con"),
    ("decisions", "dec"),
    ("exemptions", "ent"),
    ("instances", "ins"),
    ("invitations", "inv"),
    ("members", "mem"),
    ("number-erasures", "era"),
    ("tenants", "ten"),
    ("token-issuers", "iss"),
    ("webhooks", "whk"),
];

/// Gives every field that is an id its pattern, wherever it stands.
pub(super) fn describe(value: &mut Value) {
    let fields = value.get_mut("properties").and_then(Value::as_object_mut);
    for (name, field) in fields.into_iter().flatten() {
        if (name == "id" || name.ends_with("_id"))
            && let Some(prefix) = field["example"].as_str().and_then(prefix)
        {
            field["pattern"] = pattern(prefix).into();
        }
    }
    match value {
        Value::Object(members) => members.values_mut().for_each(describe),
        Value::Array(items) => items.iter_mut().for_each(describe),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The schema of a parameter, where it is an id.
pub(super) fn of_parameter(path: &str, name: &str) -> Option<Value> {
    if name == "number" && path.contains("{number}") {
        return Some(
            json!({ "type": "string", "pattern": "^\\+[0-9]{2,15}$", "example": "+12065550100" }),
        );
    }
    let prefix = match name {
        "event_id" => "evt",
        "instance_id" => "ins",
        "id" => {
            let resource = path.split('/').nth(2)?;
            RESOURCES.iter().find(|(name, _)| *name == resource)?.1
        }
        _ => return None,
    };
    Some(schema(prefix))
}

pub(super) fn schema(prefix: &str) -> Value {
    json!({ "type": "string", "pattern": pattern(prefix), "example": format!("{prefix}_{DIGITS}") })
}

fn pattern(prefix: &str) -> String {
    format!("^{prefix}_[0-9a-f]{{32}}$")
}

fn prefix(example: &str) -> Option<&str> {
    let (prefix, digits) = example.split_once('_')?;
    (prefix.len() == 3 && digits == DIGITS).then_some(prefix)
}
