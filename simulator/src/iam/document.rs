//! Policy documents: read strictly, so that a typing mistake in a template is an error and not a missing right.

use serde_json::{Map, Value};

use super::condition::Condition;
use super::pattern::fits;
use super::principal::Principal;

/// What is wrong in a document, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct DocumentError {
    pub path: String,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

/// Actions or resources: the ones listed, or all but these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    patterns: Vec<String>,
    except: bool,
}

impl Selection {
    fn includes(&self, fits_pattern: impl Fn(&str) -> bool) -> bool {
        self.patterns.iter().any(|pattern| fits_pattern(pattern)) != self.except
    }

    pub fn includes_action(&self, action: &str) -> bool {
        let action = action.to_lowercase();
        self.includes(|pattern| fits(&pattern.to_lowercase(), &action))
    }

    pub fn includes_resource(&self, resource: &str) -> bool {
        self.includes(|pattern| fits(pattern, resource))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub effect: Effect,
    pub actions: Selection,
    /// Of identity policies.
    pub resources: Option<Selection>,
    /// Of trust policies.
    pub principals: Vec<Principal>,
    pub conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub statements: Vec<Statement>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Identity,
    Trust,
}

impl Policy {
    /// A policy of a user, a role or a session.
    pub fn identity(document: &Value) -> Result<Self, DocumentError> {
        Self::parse(document, Kind::Identity)
    }

    /// A role's trust policy.
    pub fn trust(document: &Value) -> Result<Self, DocumentError> {
        Self::parse(document, Kind::Trust)
    }

    /// Everything, as an account's administrator has it.
    pub fn allow_all() -> Self {
        let everything = Selection {
            patterns: vec!["*".to_owned()],
            except: false,
        };
        let statement = Statement {
            effect: Effect::Allow,
            actions: everything.clone(),
            resources: Some(everything),
            principals: Vec::new(),
            conditions: Vec::new(),
        };
        Self {
            statements: vec![statement],
        }
    }

    fn parse(document: &Value, kind: Kind) -> Result<Self, DocumentError> {
        let document = object(document, "")?;
        known_members(document, "", &["Version", "Id", "Statement"])?;
        if document.get("Version").and_then(Value::as_str) != Some("2012-10-17") {
            return Err(error("/Version", "must be 2012-10-17"));
        }
        let statements: Vec<(String, &Value)> = match document.get("Statement") {
            Some(Value::Array(several)) => several
                .iter()
                .enumerate()
                .map(|(index, one)| (format!("/Statement/{index}"), one))
                .collect(),
            Some(one) => vec![("/Statement".to_owned(), one)],
            None => return Err(error("/Statement", "is missing")),
        };
        let statements = statements
            .into_iter()
            .map(|(path, one)| statement(one, &path, kind));
        Ok(Self {
            statements: statements.collect::<Result<_, _>>()?,
        })
    }
}

fn statement(statement: &Value, path: &str, kind: Kind) -> Result<Statement, DocumentError> {
    let members = object(statement, path)?;
    let own = match kind {
        Kind::Identity => &["Resource", "NotResource"][..],
        Kind::Trust => &["Principal"],
    };
    known_members(
        members,
        path,
        &[&["Sid", "Effect", "Action", "NotAction", "Condition"], own].concat(),
    )?;
    let effect = match members.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        _ => return Err(error(&format!("{path}/Effect"), "must be Allow or Deny")),
    };
    let actions = selection(members, path, "Action")?;
    if let Some(action) = actions
        .patterns
        .iter()
        .find(|action| *action != "*" && !action.contains(':'))
    {
        return Err(error(
            &format!("{path}/Action"),
            &format!("{action} is not service:Operation"),
        ));
    }
    let (resources, principals) = match kind {
        Kind::Identity => (Some(selection(members, path, "Resource")?), Vec::new()),
        Kind::Trust => (
            None,
            principals(members.get("Principal"), &format!("{path}/Principal"))?,
        ),
    };
    let conditions = conditions(members.get("Condition"), &format!("{path}/Condition"))?;
    Ok(Statement {
        effect,
        actions,
        resources,
        principals,
        conditions,
    })
}

fn selection(
    members: &Map<String, Value>,
    path: &str,
    name: &str,
) -> Result<Selection, DocumentError> {
    let except = format!("Not{name}");
    let (value, except, path) = match (members.get(name), members.get(&except)) {
        (Some(value), None) => (value, false, format!("{path}/{name}")),
        (None, Some(value)) => (value, true, format!("{path}/{except}")),
        _ => {
            return Err(error(
                &format!("{path}/{name}"),
                &format!("give either {name} or {except}"),
            ));
        }
    };
    let patterns = texts(value, &path)?;
    Ok(Selection { patterns, except })
}

fn principals(value: Option<&Value>, path: &str) -> Result<Vec<Principal>, DocumentError> {
    let members = match value {
        Some(Value::String(text)) if text == "*" => return Ok(vec![Principal::Everyone]),
        Some(value) => object(value, path)?,
        None => return Err(error(path, "is missing")),
    };
    known_members(members, path, &["AWS", "Service"])?;
    let mut found = Vec::new();
    for (name, value) in members {
        let path = format!("{path}/{name}");
        for text in texts(value, &path)? {
            let principal = if name == "AWS" {
                Principal::aws(&text)
            } else {
                Principal::service(&text)
            };
            found.push(
                principal.map_err(|unknown| {
                    error(&path, &format!("Invalid principal: {}", unknown.0))
                })?,
            );
        }
    }
    match found.is_empty() {
        true => Err(error(path, "names nobody")),
        false => Ok(found),
    }
}

fn conditions(value: Option<&Value>, path: &str) -> Result<Vec<Condition>, DocumentError> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for (operator, keys) in object(value, path)? {
        let path = format!("{path}/{operator}");
        for (key, values) in object(keys, &path)? {
            let values = texts(values, &format!("{path}/{key}"))?;
            let condition = Condition::new(operator, key, values);
            found
                .push(condition.map_err(|_| {
                    error(&path, "this operator is not supported by the simulator")
                })?);
        }
    }
    Ok(found)
}

/// One text or several; numbers and booleans are taken as their texts, as IAM does.
fn texts(value: &Value, path: &str) -> Result<Vec<String>, DocumentError> {
    let one = |value: &Value| match value {
        Value::String(text) if text.contains("${") => Err(error(
            path,
            "policy variables are not supported by the simulator",
        )),
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err(error(path, "must be a text or a list of texts")),
    };
    match value {
        Value::Array(several) if several.is_empty() => Err(error(path, "must not be empty")),
        Value::Array(several) => several.iter().map(one).collect(),
        value => Ok(vec![one(value)?]),
    }
}

fn object<'a>(value: &'a Value, path: &str) -> Result<&'a Map<String, Value>, DocumentError> {
    value
        .as_object()
        .ok_or_else(|| error(path, "must be an object"))
}

fn known_members(
    members: &Map<String, Value>,
    path: &str,
    known: &[&str],
) -> Result<(), DocumentError> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(error(
            &format!("{path}/{name}"),
            "is not an element of this kind of policy",
        )),
        None => Ok(()),
    }
}

fn error(path: &str, message: &str) -> DocumentError {
    DocumentError {
        path: path.to_owned(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn faulty_documents_are_refused_at_the_fault() {
        let allow = |extra: Value| {
            let mut statement =
                json!({ "Effect": "Allow", "Action": "connect:*", "Resource": "*" });
            for (name, value) in extra.as_object().expect("an object") {
                statement[name] = value.clone();
            }
            json!({ "Version": "2012-10-17", "Statement": [statement] })
        };
        for (document, path) in [
            (json!("x"), ""),
            (json!({ "Statement": [] }), "/Version"),
            (json!({ "Version": "2012-10-17" }), "/Statement"),
            (
                json!({ "Version": "2012-10-17", "Statment": [] }),
                "/Statment",
            ),
            (allow(json!({ "Effect": "allow" })), "/Statement/0/Effect"),
            (allow(json!({ "Action": [] })), "/Statement/0/Action"),
            (
                allow(json!({ "Action": "DescribeQueue" })),
                "/Statement/0/Action",
            ),
            (allow(json!({ "NotAction": "a:b" })), "/Statement/0/Action"),
            (
                allow(json!({ "Resource": { "Ref": "x" } })),
                "/Statement/0/Resource",
            ),
            (
                allow(json!({ "Resource": "arn:${x}" })),
                "/Statement/0/Resource",
            ),
            (allow(json!({ "Principal": "*" })), "/Statement/0/Principal"),
            (
                allow(json!({ "Condition": { "NumericEquals": { "k": 1 } } })),
                "/Statement/0/Condition/NumericEquals",
            ),
        ] {
            let refused = Policy::identity(&document).expect_err("a faulty document");
            assert_eq!(refused.path, path, "{document}: {refused}");
        }
    }

    #[test]
    fn a_trust_policy_names_somebody_and_no_resource() {
        let trust = |principal: Value| json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" } });
        assert!(
            Policy::trust(&trust(
                json!({ "AWS": ["111122223333", "*"], "Service": "lambda.amazonaws.com" })
            ))
            .is_ok()
        );
        for principal in [
            json!({}),
            json!("somebody"),
            json!({ "Federated": "x" }),
            json!({ "AWS": "arn:aws:iam::1:root" }),
        ] {
            assert!(
                Policy::trust(&trust(principal.clone())).is_err(),
                "{principal}"
            );
        }
        assert!(Policy::identity(&trust(json!("*"))).is_err());
    }
}
