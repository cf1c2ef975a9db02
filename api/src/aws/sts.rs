//! Sessions of a customer's roles.
//!
//! Every session is narrowed to one instance by a session policy, so that a mistake here cannot reach another
//! instance of the same account, and to what it is for. Sessions are kept until five minutes before they end.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_sdk_sts::Client;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::domain::fallback::FALLBACK_NAME;
use crate::domain::instance_arn::InstanceArn;

use super::error::AwsError;

const SESSION_NAME: &str = "ringfence";
/// A role that was itself reached through a role may be assumed for an hour at most.
const SESSION_SECONDS: i32 = 3600;
const KEEP_UNTIL_BEFORE_END: SignedDuration = SignedDuration::from_mins(5);

/// What is needed to act in one instance.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct InstanceAccess {
    pub instance_arn: InstanceArn,
    pub role_arn: String,
    pub external_id: String,
}

impl std::fmt::Debug for InstanceAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstanceAccess")
            .field("instance_arn", &self.instance_arn.to_string())
            .field("role_arn", &self.role_arn)
            .finish_non_exhaustive()
    }
}

impl InstanceAccess {
    /// Every role with every external id: while one of either is being changed, any of them may be what lets us in.
    #[must_use]
    pub fn ways(
        instance_arn: &InstanceArn,
        role_arns: &[String],
        external_ids: &[String],
    ) -> Vec<Self> {
        let way = |role_arn: &String, external_id: &String| Self {
            instance_arn: instance_arn.clone(),
            role_arn: role_arn.clone(),
            external_id: external_id.clone(),
        };
        role_arns
            .iter()
            .flat_map(|role_arn| external_ids.iter().map(move |id| way(role_arn, id)))
            .collect()
    }
}

/// What a session is for, which is all that it may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    /// Whatever the role permits in the instance.
    WholeInstance,
    /// All that telling an agent takes.
    TasksOnly,
}

impl Purpose {
    pub(super) fn policy(self, arn: &InstanceArn) -> String {
        match self {
            Self::WholeInstance => whole_instance(arn),
            Self::TasksOnly => tasks_only(arn),
        }
    }
}

/// One role may serve both purposes; its sessions are kept apart.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    kept: Mutex<HashMap<(InstanceAccess, Purpose), (Credentials, Timestamp)>>,
}

impl Sessions {
    pub(super) fn get(
        &self,
        access: &InstanceAccess,
        purpose: Purpose,
        now: Timestamp,
    ) -> Option<Credentials> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&(access.clone(), purpose))
            .filter(|(_, end)| {
                now < end
                    .checked_sub(KEEP_UNTIL_BEFORE_END)
                    .unwrap_or(Timestamp::MIN)
            })
            .map(|(credentials, _)| credentials.clone())
    }

    pub(super) fn keep(&self, access: &InstanceAccess, purpose: Purpose, session: &Session) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let until = (session.credentials.clone(), session.end);
        kept.insert((access.clone(), purpose), until);
    }

    pub(super) fn forget(&self, access: &InstanceAccess) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(of, _), _| of != access);
    }
}

pub(super) struct Session {
    pub(super) credentials: Credentials,
    pub(super) end: Timestamp,
}

pub(super) async fn assume(
    client: &Client,
    access: &InstanceAccess,
    external_id: Option<&str>,
    policy: String,
) -> Result<Session, AwsError> {
    const ACTION: &str = "sts:AssumeRole";
    let sent = client
        .assume_role()
        .role_arn(&access.role_arn)
        .role_session_name(SESSION_NAME)
        .duration_seconds(SESSION_SECONDS)
        .policy(policy)
        .set_external_id(external_id.map(str::to_owned))
        .send();
    // It may be awaited within another request of the SDK's, which is large itself.
    let output = Box::pin(sent)
        .await
        .map_err(|err| AwsError::from_sdk(ACTION, &err))?;
    let credentials = output
        .credentials()
        .ok_or_else(|| AwsError::transient(ACTION, "the answer holds no credentials"))?;
    let end = Timestamp::from_second(credentials.expiration().secs())
        .map_err(|_| AwsError::transient(ACTION, "the session's end is no time"))?;
    Ok(Session {
        credentials: Credentials::new(
            credentials.access_key_id(),
            credentials.secret_access_key(),
            Some(credentials.session_token().to_owned()),
            None,
            "customer's role",
        ),
        end,
    })
}

/// Phone numbers stand at the account, not under the instance, and setting a queue's caller id touches them: also those of
/// another region, which a traffic distribution group lends. So does the fallback function, whose policy admits the instance.
fn whole_instance(arn: &InstanceArn) -> String {
    let (partition, region, account) = (arn.partition(), arn.region(), arn.account_id());
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "connect:*",
                "Resource": [
                    arn.to_string(),
                    format!("{arn}/*"),
                    format!("arn:{partition}:connect:*:{account}:phone-number/*"),
                ],
            },
            {
                "Effect": "Allow",
                "Action": ["lambda:GetPolicy", "lambda:AddPermission", "lambda:RemovePermission"],
                "Resource": format!("arn:{partition}:lambda:{region}:{account}:function:{FALLBACK_NAME}-*"),
            },
        ],
    })
    .to_string()
}

fn tasks_only(arn: &InstanceArn) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "connect:StartTaskContact",
            "Resource": [format!("{arn}/contact/*"), format!("{arn}/contact-flow/*")],
        }],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> InstanceAccess {
        InstanceAccess {
            instance_arn: "arn:aws:connect:us-east-1:111122223333:instance/0a1b"
                .parse()
                .expect("an ARN"),
            role_arn: "arn:aws:iam::111122223333:role/ringfence-installer".to_owned(),
            external_id: "very-secret".to_owned(),
        }
    }

    #[test]
    fn a_session_reaches_one_instance_and_fits_the_service_limit() {
        for purpose in [Purpose::WholeInstance, Purpose::TasksOnly] {
            let policy = purpose.policy(&access().instance_arn);
            assert!(policy.len() <= 2048);
            assert!(policy.contains("instance/0a1b/"), "{policy}");
            assert!(!policy.contains(r#""*""#), "{policy}");
        }
        assert!(!tasks_only(&access().instance_arn).contains("connect:*"));
    }

    fn session(name: &str) -> Session {
        Session {
            credentials: Credentials::new(name, "b", None, None, "test"),
            end: "2026-01-01T01:00:00Z".parse().expect("a time"),
        }
    }

    fn got(sessions: &Sessions, purpose: Purpose, at: &str) -> Option<String> {
        let credentials = sessions.get(&access(), purpose, at.parse().expect("a time"))?;
        Some(credentials.access_key_id().to_owned())
    }

    #[test]
    fn a_session_is_used_until_five_minutes_before_its_end() {
        let (sessions, purpose) = (Sessions::default(), Purpose::WholeInstance);
        sessions.keep(&access(), purpose, &session("a"));
        assert!(got(&sessions, purpose, "2026-01-01T00:54:59Z").is_some());
        assert!(got(&sessions, purpose, "2026-01-01T00:55:00Z").is_none());
        sessions.forget(&access());
        assert!(got(&sessions, purpose, "2026-01-01T00:00:00Z").is_none());
    }

    #[test]
    fn a_role_with_two_purposes_has_a_session_for_each() {
        let at = "2026-01-01T00:00:00Z";
        let sessions = Sessions::default();
        sessions.keep(&access(), Purpose::TasksOnly, &session("tasks"));
        assert_eq!(got(&sessions, Purpose::WholeInstance, at), None);
        sessions.keep(&access(), Purpose::WholeInstance, &session("whole"));
        let kept = |purpose| got(&sessions, purpose, at);
        assert_eq!(kept(Purpose::TasksOnly).as_deref(), Some("tasks"));
        assert_eq!(kept(Purpose::WholeInstance).as_deref(), Some("whole"));
        sessions.forget(&access());
        assert_eq!(kept(Purpose::TasksOnly), None);
        assert_eq!(kept(Purpose::WholeInstance), None);
    }

    #[test]
    fn the_external_id_is_not_in_debug_output() {
        assert!(!format!("{:?}", access()).contains("very-secret"));
    }
}
