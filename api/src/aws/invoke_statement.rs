//! What the text of a function's policy says of one statement.

use std::collections::BTreeSet;

use serde_json::Value;

use super::lambda::InvokePermission;

pub(super) const PRINCIPAL: &str = "connect.amazonaws.com";
pub(super) const ACTION: &str = "lambda:InvokeFunction";

/// Which operators Lambda compares a source with is told in different ways; all of these hold for exactly one source here.
const OPERATORS: [&str; 4] = ["StringEquals", "StringLike", "ArnEquals", "ArnLike"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Absent,
    /// The statement's id is taken by one that admits somebody else, or nobody.
    Other,
    Granted,
}

impl Standing {
    /// A policy that cannot be read grants nothing.
    pub(super) fn of(permission: &InvokePermission, policy: &str) -> Self {
        let document: Value = serde_json::from_str(policy).unwrap_or_default();
        let statements = document.get("Statement").and_then(Value::as_array);
        let named = statements.into_iter().flatten().find(|statement| {
            statement.get("Sid").and_then(Value::as_str) == Some(&permission.statement_id)
        });
        match named {
            None => Self::Absent,
            Some(statement) if grants(statement, permission).unwrap_or_default() => Self::Granted,
            Some(_) => Self::Other,
        }
    }
}

fn grants(statement: &Value, permission: &InvokePermission) -> Option<bool> {
    let principal = statement.get("Principal")?.get("Service")?;
    let mut sources = BTreeSet::new();
    for (operator, keys) in statement.get("Condition")?.as_object()? {
        for (key, value) in keys.as_object()? {
            if !OPERATORS.contains(&operator.as_str()) {
                return None;
            }
            sources.insert((key.to_ascii_lowercase(), only(value)?));
        }
    }
    let wanted = [
        ("aws:sourceaccount".to_owned(), &*permission.account_id),
        ("aws:sourcearn".to_owned(), &*permission.instance_arn),
    ];
    Some(
        only(statement.get("Effect")?)? == "Allow"
            && only(principal)? == PRINCIPAL
            && only(statement.get("Action")?)? == ACTION
            && sources == BTreeSet::from(wanted),
    )
}

/// A list of one means the same as its element.
fn only(value: &Value) -> Option<&str> {
    match value {
        Value::Array(values) => match values.as_slice() {
            [value] => value.as_str(),
            _ => None,
        },
        value => value.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn permission() -> InvokePermission {
        InvokePermission {
            function_arn: "arn:aws:lambda:us-east-1:999988887777:function:limiter".to_owned(),
            statement_id: "ins_1".to_owned(),
            instance_arn: "arn:aws:connect:us-east-1:111122223333:instance/i".to_owned(),
            account_id: "111122223333".to_owned(),
        }
    }

    /// As AddPermission writes it.
    fn statement() -> Value {
        json!({
            "Sid": "ins_1",
            "Effect": "Allow",
            "Principal": { "Service": "connect.amazonaws.com" },
            "Action": "lambda:InvokeFunction",
            "Resource": "arn:aws:lambda:us-east-1:999988887777:function:limiter",
            "Condition": {
                "StringEquals": { "AWS:SourceAccount": "111122223333" },
                "ArnLike": { "AWS:SourceArn": "arn:aws:connect:us-east-1:111122223333:instance/i" },
            },
        })
    }

    fn standing(statements: &[Value]) -> Standing {
        let policy = json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements });
        Standing::of(&permission(), &policy.to_string())
    }

    #[test]
    fn only_the_statement_of_this_instance_counts_as_granted() {
        let mut another = statement();
        another["Sid"] = json!("ins_10");
        assert_eq!(standing(std::slice::from_ref(&another)), Standing::Absent);
        assert_eq!(standing(&[another, statement()]), Standing::Granted);
        assert_eq!(Standing::of(&permission(), "no JSON"), Standing::Absent);
    }

    #[test]
    fn a_statement_of_this_id_that_says_anything_else_does_not_count() {
        let elsewhere = json!("arn:aws:connect:us-east-1:111122223333:instance/*");
        for (pointer, value) in [
            ("/Effect", json!("Deny")),
            ("/Principal", json!("*")),
            ("/Principal/Service", json!("lex.amazonaws.com")),
            (
                "/Principal/Service",
                json!(["connect.amazonaws.com", "lex.amazonaws.com"]),
            ),
            ("/Action", json!("lambda:GetFunction")),
            ("/Condition", json!({})),
            (
                "/Condition/StringEquals",
                json!({ "AWS:SourceAccount": "444455556666" }),
            ),
            ("/Condition/StringEquals", json!({})),
            ("/Condition/ArnLike/AWS:SourceArn", elsewhere),
            ("/Condition/ArnLike", json!({})),
            (
                "/Condition/StringEquals",
                json!({ "AWS:SourceAccount": "111122223333", "aws:PrincipalOrgID": "o-1" }),
            ),
        ] {
            let mut other = statement();
            *other.pointer_mut(pointer).expect("a place") = value.clone();
            assert_eq!(standing(&[other]), Standing::Other, "{pointer} {value}");
        }
        let mut negated = statement();
        negated["Condition"] = json!({
            "StringNotEquals": { "AWS:SourceAccount": "111122223333" },
            "ArnLike": statement()["Condition"]["ArnLike"],
        });
        assert_eq!(standing(&[negated]), Standing::Other);
        assert_eq!(standing(&[json!({ "Sid": "ins_1" })]), Standing::Other);
    }

    #[test]
    fn the_same_in_other_words_counts() {
        let mut same = statement();
        same["Principal"]["Service"] = json!(["connect.amazonaws.com"]);
        same["Condition"] = json!({
            "StringEquals": { "aws:SourceAccount": ["111122223333"] },
            "StringLike": { "aws:SourceArn": "arn:aws:connect:us-east-1:111122223333:instance/i" },
        });
        assert_eq!(standing(&[same]), Standing::Granted);
    }
}
