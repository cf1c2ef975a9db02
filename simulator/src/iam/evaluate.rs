//! The decision: an explicit deny beats every allow, and what nobody allows is denied.
//!
//! A session may do what both its role's policies and its session policy allow. To become a role, the role's trust
//! policy has to admit the asker; `Trust` says whether the asker's own policies have a say as well.

use super::condition::Context;
use super::document::{Effect, Policy, Statement};
use super::principal::{Asker, Named};

/// May this be done to that?
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// `service:Operation`
    pub action: &'a str,
    pub resource: &'a str,
    pub context: &'a Context,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    /// Some policy says so.
    Denied,
    /// No policy of the identity allows it.
    NotAllowed,
    /// The identity might, but the session was narrowed.
    NotInSession,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    No,
    /// By an explicit deny.
    Denied,
    /// The asker's account is trusted; its own policies must allow the asker too.
    Account,
    /// The asker is named; in the role's own account that is enough.
    Direct,
}

pub fn may(identity: &[Policy], session: Option<&Policy>, question: &Question<'_>) -> Verdict {
    let statements = || identity.iter().flat_map(|policy| &policy.statements);
    let in_session = || session.into_iter().flat_map(|policy| &policy.statements);
    if statements()
        .chain(in_session())
        .any(|statement| applies(statement, Effect::Deny, question))
    {
        return Verdict::Denied;
    }
    if !statements().any(|statement| applies(statement, Effect::Allow, question)) {
        return Verdict::NotAllowed;
    }
    match session {
        Some(_) if !in_session().any(|statement| applies(statement, Effect::Allow, question)) => {
            Verdict::NotInSession
        }
        _ => Verdict::Allowed,
    }
}

fn applies(statement: &Statement, effect: Effect, question: &Question<'_>) -> bool {
    statement.effect == effect
        && statement.actions.includes_action(question.action)
        && statement
            .resources
            .as_ref()
            .is_some_and(|resources| resources.includes_resource(question.resource))
        && statement
            .conditions
            .iter()
            .all(|condition| condition.holds(question.context))
}

/// Whether a role's trust policy admits the asker to `action`, `sts:AssumeRole` as a rule.
pub fn trusts(trust: &Policy, asker: &Asker<'_>, action: &str, context: &Context) -> Trust {
    let named = |effect: Effect| {
        let relevant = trust.statements.iter().filter(|statement| {
            statement.effect == effect
                && statement.actions.includes_action(action)
                && statement
                    .conditions
                    .iter()
                    .all(|condition| condition.holds(context))
        });
        relevant
            .flat_map(|statement| &statement.principals)
            .map(|principal| principal.names(asker))
            .max()
    };
    if named(Effect::Deny).is_some_and(|named| named != Named::Not) {
        return Trust::Denied;
    }
    match named(Effect::Allow) {
        Some(Named::Directly) => Trust::Direct,
        Some(Named::ByAccount) => Trust::Account,
        Some(Named::Not) | None => Trust::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn policy(statements: Value) -> Policy {
        Policy::identity(&json!({ "Version": "2012-10-17", "Statement": statements }))
            .expect("a policy")
    }

    fn ask(
        identity: &[Policy],
        session: Option<&Policy>,
        action: &str,
        resource: &str,
        keys: &[(&str, &str)],
    ) -> Verdict {
        let context = keys
            .iter()
            .map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()]))
            .collect();
        may(
            identity,
            session,
            &Question {
                action,
                resource,
                context: &context,
            },
        )
    }

    const FLOW: &str = "arn:aws:connect:us-east-1:1:instance/i/contact-flow/f";

    #[test]
    fn deny_beats_allow_and_silence_is_no() {
        let role = [
            policy(
                json!([{ "Effect": "Allow", "Action": "connect:*Flow*", "Resource": "arn:aws:connect:*:1:instance/*" }]),
            ),
            policy(
                json!({ "Effect": "Deny", "Action": "connect:DeleteContactFlow", "Resource": "*" }),
            ),
        ];
        assert_eq!(
            ask(&role, None, "connect:DescribeContactFlow", FLOW, &[]),
            Verdict::Allowed
        );
        assert_eq!(
            ask(&role, None, "CONNECT:describecontactflow", FLOW, &[]),
            Verdict::Allowed
        );
        assert_eq!(
            ask(&role, None, "connect:DeleteContactFlow", FLOW, &[]),
            Verdict::Denied
        );
        assert_eq!(
            ask(&role, None, "connect:StopContact", FLOW, &[]),
            Verdict::NotAllowed
        );
        assert_eq!(
            ask(
                &role,
                None,
                "connect:DescribeContactFlow",
                &FLOW.replace(":1:", ":2:"),
                &[]
            ),
            Verdict::NotAllowed
        );
        assert_eq!(
            ask(&[], None, "connect:DescribeContactFlow", FLOW, &[]),
            Verdict::NotAllowed
        );
    }

    #[test]
    fn everything_but_the_listed() {
        let role = [policy(json!([
            { "Effect": "Allow", "NotAction": "connect:StopContact", "Resource": "*" },
            { "Effect": "Deny", "Action": "*", "NotResource": "arn:aws:connect:*" },
        ]))];
        assert_eq!(
            ask(&role, None, "connect:ListQueues", FLOW, &[]),
            Verdict::Allowed
        );
        assert_eq!(
            ask(&role, None, "connect:StopContact", FLOW, &[]),
            Verdict::NotAllowed
        );
        assert_eq!(
            ask(&role, None, "s3:GetObject", "arn:aws:s3:::bucket/key", &[]),
            Verdict::Denied
        );
    }

    #[test]
    fn a_session_policy_only_narrows() {
        let role = [policy(
            json!([{ "Effect": "Allow", "Action": "connect:*", "Resource": "arn:aws:connect:*:1:instance/*" }]),
        )];
        let session = policy(
            json!([{ "Effect": "Allow", "Action": "*", "Resource": ["arn:aws:connect:us-east-1:1:instance/i", "arn:aws:connect:us-east-1:1:instance/i/*"] }]),
        );
        assert_eq!(
            ask(
                &role,
                Some(&session),
                "connect:DescribeContactFlow",
                FLOW,
                &[]
            ),
            Verdict::Allowed
        );
        let other = FLOW.replace("instance/i/", "instance/j/");
        assert_eq!(
            ask(&role, None, "connect:DescribeContactFlow", &other, &[]),
            Verdict::Allowed
        );
        assert_eq!(
            ask(
                &role,
                Some(&session),
                "connect:DescribeContactFlow",
                &other,
                &[]
            ),
            Verdict::NotInSession
        );
        assert_eq!(
            ask(&role, Some(&session), "s3:GetObject", FLOW, &[]),
            Verdict::NotAllowed
        );
    }

    #[test]
    fn conditions_belong_to_the_decision() {
        let role = [policy(json!([{
            "Effect": "Allow", "Action": "connect:DeleteContactFlow", "Resource": "*",
            "Condition": { "StringEquals": { "aws:ResourceTag/managed-by": "ringfence" } },
        }]))];
        let tagged = [("aws:ResourceTag/managed-by", "ringfence")];
        assert_eq!(
            ask(&role, None, "connect:DeleteContactFlow", FLOW, &tagged),
            Verdict::Allowed
        );
        assert_eq!(
            ask(
                &role,
                None,
                "connect:DeleteContactFlow",
                FLOW,
                &[("aws:ResourceTag/managed-by", "us")]
            ),
            Verdict::NotAllowed
        );
        assert_eq!(
            ask(&role, None, "connect:DeleteContactFlow", FLOW, &[]),
            Verdict::NotAllowed
        );
    }

    fn trust(principal: Value, external_id: Option<&str>, effect: &str) -> Value {
        let mut statement =
            json!({ "Effect": effect, "Principal": principal, "Action": "sts:AssumeRole" });
        if let Some(external_id) = external_id {
            statement["Condition"] = json!({ "StringEquals": { "sts:ExternalId": external_id } });
        }
        statement
    }

    fn becomes(statements: Value, external_id: Option<&str>) -> Trust {
        let trust = Policy::trust(&json!({ "Version": "2012-10-17", "Statement": statements }))
            .expect("a trust policy");
        let asker = Asker {
            account_id: "999988887777",
            arn: "arn:aws:iam::999988887777:role/control",
            session_arn: Some("arn:aws:sts::999988887777:assumed-role/control/s"),
            service: None,
        };
        let context = external_id
            .map(|id| ("sts:ExternalId".to_owned(), vec![id.to_owned()]))
            .into_iter()
            .collect();
        trusts(&trust, &asker, "sts:AssumeRole", &context)
    }

    #[test]
    fn the_external_id_opens_the_role_and_nothing_else_does() {
        let control = json!({ "AWS": "arn:aws:iam::999988887777:role/control" });
        let demanding = json!([trust(control.clone(), Some("secret-id"), "Allow")]);
        assert_eq!(becomes(demanding.clone(), Some("secret-id")), Trust::Direct);
        assert_eq!(becomes(demanding.clone(), Some("secret")), Trust::No);
        assert_eq!(becomes(demanding, None), Trust::No);
        let careless = json!([trust(control, None, "Allow")]);
        assert_eq!(becomes(careless, Some("anything")), Trust::Direct);
    }

    #[test]
    fn an_account_is_trusted_by_half_and_a_deny_shuts_the_door() {
        let account = json!({ "AWS": "arn:aws:iam::999988887777:root" });
        assert_eq!(
            becomes(json!([trust(account.clone(), None, "Allow")]), None),
            Trust::Account
        );
        let denied = json!([
            trust(account, None, "Allow"),
            trust(json!("*"), None, "Deny")
        ]);
        assert_eq!(becomes(denied, None), Trust::Denied);
        assert_eq!(
            becomes(
                json!([trust(
                    json!({ "Service": "lambda.amazonaws.com" }),
                    None,
                    "Allow"
                )]),
                None
            ),
            Trust::No
        );
    }
}
