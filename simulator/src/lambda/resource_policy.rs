//! The resource policy of a function: statements as AddPermission writes them, and who they admit.
//!
//! Invariant: a policy never exceeds the 20 KB that Lambda allows.

use serde_json::{Map, Value, json};

/// Lambda's hard limit on a policy, in bytes of its JSON text.
pub const MAX_POLICY_BYTES: usize = 20_480;

/// A policy and the revision that guards concurrent edits.
#[derive(Debug, Clone, Default)]
pub struct ResourcePolicy {
    statements: Vec<Value>,
    pub revision_id: String,
}

/// What AddPermission is asked to allow.
#[derive(Debug)]
pub struct Grant<'a> {
    pub statement_id: &'a str,
    pub action: &'a str,
    pub principal: &'a str,
    pub source_arn: Option<&'a str>,
    pub source_account: Option<&'a str>,
    pub organisation: Option<&'a str>,
}

/// Why a statement cannot be added.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "The statement id ({0}) provided already exists. Please provide a new statement id, or remove the existing statement."
    )]
    Exists(String),
    #[error("The final policy size ({0}) is bigger than the limit ({MAX_POLICY_BYTES}).")]
    TooLong(usize),
}

impl ResourcePolicy {
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    pub fn text(&self) -> String {
        json!({"Version": "2012-10-17", "Id": "default", "Statement": self.statements}).to_string()
    }

    /// Adds a statement and returns it as Lambda shows it.
    pub fn add(&mut self, grant: &Grant<'_>, function_arn: &str) -> Result<Value, Refusal> {
        if self
            .statements
            .iter()
            .any(|statement| statement["Sid"] == grant.statement_id)
        {
            return Err(Refusal::Exists(grant.statement_id.to_owned()));
        }
        let statement = grant.statement(function_arn);
        let mut longer = self.clone();
        longer.statements.push(statement.clone());
        let size = longer.text().len();
        if size > MAX_POLICY_BYTES {
            return Err(Refusal::TooLong(size));
        }
        self.statements = longer.statements;
        Ok(statement)
    }

    /// Whether there was such a statement.
    pub fn remove(&mut self, statement_id: &str) -> bool {
        let before = self.statements.len();
        self.statements
            .retain(|statement| statement["Sid"] != statement_id);
        self.statements.len() < before
    }

    /// Whether a service may invoke the function on behalf of this resource.
    pub fn admits_service(&self, service: &str, source_account: &str, source_arn: &str) -> bool {
        self.statements.iter().any(|statement| {
            let principal = &statement["Principal"];
            (principal["Service"] == service || principal == "*")
                && matches!(
                    statement["Action"].as_str(),
                    Some("lambda:InvokeFunction" | "lambda:*")
                )
                && conditions_hold(&statement["Condition"], source_account, source_arn)
        })
    }
}

impl Grant<'_> {
    fn statement(&self, function_arn: &str) -> Value {
        let principal = if self.principal == "*" {
            json!("*")
        } else if self.principal.contains(".amazonaws.com") {
            json!({"Service": self.principal})
        } else if self.principal.len() == 12
            && self.principal.bytes().all(|byte| byte.is_ascii_digit())
        {
            json!({"AWS": format!("arn:aws:iam::{}:root", self.principal)})
        } else {
            json!({"AWS": self.principal})
        };
        let mut statement = json!({
            "Sid": self.statement_id, "Effect": "Allow", "Principal": principal, "Action": self.action, "Resource": function_arn,
        });
        let mut equals = Map::new();
        if let Some(account) = self.source_account {
            equals.insert("AWS:SourceAccount".to_owned(), json!(account));
        }
        if let Some(organisation) = self.organisation {
            equals.insert("aws:PrincipalOrgID".to_owned(), json!(organisation));
        }
        let mut condition = Map::new();
        if !equals.is_empty() {
            condition.insert("StringEquals".to_owned(), Value::Object(equals));
        }
        if let Some(arn) = self.source_arn {
            condition.insert("ArnLike".to_owned(), json!({"AWS:SourceArn": arn}));
        }
        if !condition.is_empty() {
            statement["Condition"] = Value::Object(condition);
        }
        statement
    }
}

/// A key that no service principal carries (an organisation) never holds.
fn conditions_hold(condition: &Value, source_account: &str, source_arn: &str) -> bool {
    let keys = condition
        .as_object()
        .into_iter()
        .flat_map(|operators| operators.values().filter_map(Value::as_object).flatten());
    keys.into_iter()
        .all(|(key, pattern)| match key.to_ascii_lowercase().as_str() {
            "aws:sourceaccount" => pattern == source_account,
            "aws:sourcearn" => pattern
                .as_str()
                .is_some_and(|pattern| matches(pattern, source_arn)),
            _ => false,
        })
}

/// `*` stands for any text, `?` for one character.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, at)) => {
                    retry = Some((star, at + 1));
                    p = star + 1;
                    t = at + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUNCTION: &str = "arn:aws:lambda:us-east-1:999988887777:function:limiter";
    const INSTANCE: &str =
        "arn:aws:connect:us-east-1:111122223333:instance/11111111-2222-3333-4444-555555555555";

    fn grant<'a>(
        statement_id: &'a str,
        source_account: Option<&'a str>,
        source_arn: Option<&'a str>,
    ) -> Grant<'a> {
        Grant {
            statement_id,
            action: "lambda:InvokeFunction",
            principal: "connect.amazonaws.com",
            source_arn,
            source_account,
            organisation: None,
        }
    }

    #[test]
    fn only_the_granted_instance_is_admitted() {
        let mut policy = ResourcePolicy::default();
        assert!(!policy.admits_service("connect.amazonaws.com", "111122223333", INSTANCE));
        policy
            .add(&grant("t1", Some("111122223333"), Some(INSTANCE)), FUNCTION)
            .expect("room");
        assert!(policy.admits_service("connect.amazonaws.com", "111122223333", INSTANCE));
        assert!(!policy.admits_service("lex.amazonaws.com", "111122223333", INSTANCE));
        assert!(!policy.admits_service("connect.amazonaws.com", "444455556666", INSTANCE));
        assert!(!policy.admits_service(
            "connect.amazonaws.com",
            "111122223333",
            &INSTANCE.replace("5555555", "6666666")
        ));
        assert!(policy.remove("t1"));
        assert!(!policy.remove("t1"));
        assert!(!policy.admits_service("connect.amazonaws.com", "111122223333", INSTANCE));
    }

    #[test]
    fn an_arn_may_be_a_pattern_and_an_organisation_never_admits_a_service() {
        let mut policy = ResourcePolicy::default();
        policy
            .add(
                &grant(
                    "t1",
                    None,
                    Some("arn:aws:connect:*:111122223333:instance/*"),
                ),
                FUNCTION,
            )
            .expect("room");
        assert!(policy.admits_service("connect.amazonaws.com", "111122223333", INSTANCE));
        let mut policy = ResourcePolicy::default();
        policy
            .add(
                &Grant {
                    organisation: Some("o-1234567890"),
                    ..grant("t1", None, None)
                },
                FUNCTION,
            )
            .expect("room");
        assert!(!policy.admits_service("connect.amazonaws.com", "111122223333", INSTANCE));
    }

    #[test]
    fn a_policy_is_full_after_about_fifty_instances() {
        let mut policy = ResourcePolicy::default();
        let mut added = 0;
        let refusal = loop {
            match policy.add(
                &grant(
                    &format!("t-11111111-2222-3333-4444-{added:012}"),
                    Some("111122223333"),
                    Some(INSTANCE),
                ),
                FUNCTION,
            ) {
                Ok(_) => added += 1,
                Err(refusal) => break refusal,
            }
        };
        assert!(
            matches!(refusal, Refusal::TooLong(size) if size > MAX_POLICY_BYTES),
            "{refusal}"
        );
        assert!((48..=60).contains(&added), "{added}");
        assert!(policy.text().len() <= MAX_POLICY_BYTES);
        assert_eq!(
            policy
                .add(
                    &grant("t-11111111-2222-3333-4444-000000000000", None, None),
                    FUNCTION
                )
                .map_err(|refusal| matches!(refusal, Refusal::Exists(_))),
            Err(true)
        );
    }

    #[test]
    fn patterns_match_like_iam() {
        assert!(matches("a*c?e", "abbbcde"));
        assert!(matches("*", ""));
        assert!(!matches("a?", "a"));
        assert!(!matches("instance/1", "instance/12"));
        assert!(matches("instance/1*", "instance/12"));
    }
}
