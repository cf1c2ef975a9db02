//! Accounts, access keys, roles and their sessions, and what they may do.
//!
//! Policies are parsed when they are stored, so that one that cannot be evaluated is refused there and then.

pub mod condition;
pub mod document;
pub mod evaluate;
mod pattern;
pub mod principal;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::aws::{AwsError, Caller, Identity};
use crate::clock::Ids;
use condition::Context;
use document::{DocumentError, Policy};
use evaluate::{Question, Trust, Verdict};
use principal::Asker;

/// How long what an instance profile hands out is good for.
const PROFILE_HOURS: i64 = 12;
const HOUR_SECONDS: i64 = 3600;

/// Everything about identities.
#[derive(Debug, Default)]
pub struct State(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    keys: BTreeMap<String, AccessKey>,
    roles: BTreeMap<String, Role>,
}

/// A key and whose it is.
#[derive(Debug, Clone)]
pub struct AccessKey {
    pub secret: String,
    pub session_token: Option<String>,
    pub expires_at: Option<Timestamp>,
    pub caller: Caller,
}

/// A role of an account.
#[derive(Debug, Clone)]
pub struct Role {
    /// What the ids of its sessions begin with.
    pub id: String,
    pub arn: String,
    pub name: String,
    pub account_id: String,
    pub trust_policy: Policy,
    pub policies: Vec<Policy>,
    pub max_session_seconds: i64,
}

/// A role to make.
#[derive(Debug)]
pub struct NewRole {
    pub name: String,
    pub trust: Policy,
    pub policies: Vec<Policy>,
    pub max_session_seconds: u32,
}

/// A session to start.
#[derive(Debug)]
pub struct NewSession<'a> {
    pub name: &'a str,
    pub policy: Option<Policy>,
    pub expires_at: Timestamp,
}

/// Keys as a client is given them.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: String,
    pub expires_at: Timestamp,
}

impl State {
    /// Makes the account's administrator and returns a new key of theirs.
    pub fn create_account(&self, account_id: &str, ids: &Ids) -> (String, String) {
        let (id, secret) = (format!("AKIA{}", ids.token(16)), ids.token(40));
        let caller = Caller {
            account_id: account_id.to_owned(),
            arn: format!("arn:aws:iam::{account_id}:user/administrator"),
            identity: Identity::Administrator,
        };
        let key = AccessKey {
            secret: secret.clone(),
            session_token: None,
            expires_at: None,
            caller,
        };
        self.lock().keys.insert(id.clone(), key);
        (id, secret)
    }

    pub fn account_ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self
            .lock()
            .keys
            .values()
            .map(|key| key.caller.account_id.clone())
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }

    pub fn account_exists(&self, account_id: &str) -> bool {
        self.lock()
            .keys
            .values()
            .any(|key| key.caller.account_id == account_id)
    }

    pub fn key(&self, access_key_id: &str) -> Option<AccessKey> {
        self.lock().keys.get(access_key_id).cloned()
    }

    pub fn role(&self, role_arn: &str) -> Option<Role> {
        self.lock().roles.get(role_arn).cloned()
    }

    pub fn role_exists(&self, role_arn: &str) -> bool {
        self.lock().roles.contains_key(role_arn)
    }

    /// Makes a role; one of the same name gets new policies and keeps its sessions.
    pub fn put_role(&self, account_id: &str, new: NewRole, ids: &Ids) -> String {
        let arn = format!("arn:aws:iam::{account_id}:role/{}", new.name);
        let mut inner = self.lock();
        let id = inner
            .roles
            .get(&arn)
            .map_or_else(|| format!("AROA{}", ids.token(17)), |role| role.id.clone());
        let role = Role {
            id,
            arn: arn.clone(),
            name: new.name,
            account_id: account_id.to_owned(),
            trust_policy: new.trust,
            policies: new.policies,
            max_session_seconds: i64::from(new.max_session_seconds),
        };
        inner.roles.insert(arn.clone(), role);
        arn
    }

    /// Whether there was such a role; its sessions can do nothing afterwards.
    pub fn delete_role(&self, account_id: &str, name: &str) -> bool {
        self.lock()
            .roles
            .remove(&format!("arn:aws:iam::{account_id}:role/{name}"))
            .is_some()
    }

    /// A role with all rights in its own account, and to assume any role.
    pub fn make_execution_role(
        &self,
        account_id: &str,
        name: &str,
        ids: &Ids,
    ) -> Result<String, DocumentError> {
        let own = [
            format!("arn:aws:*:*:{account_id}:*"),
            format!("arn:aws:*::{account_id}:*"),
        ];
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": own},
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]});
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
        let role = NewRole {
            name: name.to_owned(),
            trust: Policy::trust(&trust)?,
            policies: vec![Policy::identity(&policy)?],
            max_session_seconds: 3600,
        };
        Ok(self.put_role(account_id, role, ids))
    }

    pub fn start_session(&self, role: &Role, new: NewSession<'_>, ids: &Ids) -> Credentials {
        let credentials = Credentials {
            access_key_id: format!("ASIA{}", ids.token(16)),
            secret_access_key: ids.token(40),
            session_token: ids.token(120),
            expires_at: new.expires_at,
        };
        let caller = Caller {
            account_id: role.account_id.clone(),
            arn: format!(
                "arn:aws:sts::{}:assumed-role/{}/{}",
                role.account_id, role.name, new.name
            ),
            identity: Identity::Session {
                role_arn: role.arn.clone(),
                session_policy: new.policy,
            },
        };
        let key = AccessKey {
            secret: credentials.secret_access_key.clone(),
            session_token: Some(credentials.session_token.clone()),
            expires_at: Some(credentials.expires_at),
            caller,
        };
        let mut inner = self.lock();
        forget_long_expired(&mut inner.keys, new.expires_at);
        inner.keys.insert(credentials.access_key_id.clone(), key);
        credentials
    }

    /// What an instance profile, or Lambda, hands out; nothing when there is no such role.
    pub fn role_credentials(
        &self,
        role_arn: &str,
        session: &str,
        ids: &Ids,
        now: Timestamp,
    ) -> Option<Credentials> {
        let role = self.role(role_arn)?;
        let expires_at = now + SignedDuration::from_hours(PROFILE_HOURS);
        Some(self.start_session(
            &role,
            NewSession {
                name: session,
                policy: None,
                expires_at,
            },
            ids,
        ))
    }

    /// Whether the caller may become the role: its own side and the role's have to agree.
    pub fn may_assume(&self, caller: &Caller, role: &Role, context: &Context) -> bool {
        const ACTION: &str = "sts:AssumeRole";
        let own = self.verdict(caller, ACTION, &role.arn, context);
        let (arn, session_arn) = match &caller.identity {
            Identity::Administrator => (caller.arn.as_str(), None),
            Identity::Session { role_arn, .. } => (role_arn.as_str(), Some(caller.arn.as_str())),
        };
        let asker = Asker {
            account_id: &caller.account_id,
            arn,
            session_arn,
            service: None,
        };
        match evaluate::trusts(&role.trust_policy, &asker, ACTION, context) {
            Trust::No | Trust::Denied => false,
            // Named in its own account, a caller needs no policy that allows it; one that forbids it still counts.
            Trust::Direct if caller.account_id == role.account_id => {
                matches!(own, Verdict::Allowed | Verdict::NotAllowed)
            }
            Trust::Direct | Trust::Account => own == Verdict::Allowed,
        }
    }

    /// Whether the caller may do this to every one of these, which have to be its own account's: nothing here has a
    /// policy of its own that would admit others.
    pub fn authorize(
        &self,
        caller: &Caller,
        action: &str,
        resources: &[&str],
        context: &Context,
    ) -> Result<(), AwsError> {
        for resource in resources {
            let because = match self.verdict(caller, action, resource, context) {
                Verdict::Allowed if is_foreign(resource, &caller.account_id) => {
                    "because no resource-based policy allows it"
                }
                Verdict::Allowed => continue,
                Verdict::Denied => "with an explicit deny in an identity-based policy",
                Verdict::NotInSession => "because no session policy allows it",
                Verdict::NotAllowed => "because no identity-based policy allows it",
            };
            let message = format!(
                "User: {} is not authorized to perform: {action} on resource: {resource} {because}",
                caller.arn
            );
            return Err(AwsError::new(403, "AccessDeniedException", message));
        }
        Ok(())
    }

    fn verdict(&self, caller: &Caller, action: &str, resource: &str, context: &Context) -> Verdict {
        let Identity::Session {
            role_arn,
            session_policy,
        } = &caller.identity
        else {
            return Verdict::Allowed;
        };
        let inner = self.lock();
        let policies = inner
            .roles
            .get(role_arn)
            .map_or(&[][..], |role| &role.policies);
        evaluate::may(
            policies,
            session_policy.as_ref(),
            &Question {
                action,
                resource,
                context,
            },
        )
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_foreign(resource: &str, account_id: &str) -> bool {
    resource
        .split(':')
        .nth(4)
        .is_some_and(|owner| !owner.is_empty() && owner != account_id)
}

/// An expired key is told from an unknown one for a while, then forgotten.
fn forget_long_expired(keys: &mut BTreeMap<String, AccessKey>, latest: Timestamp) {
    if keys.len() > 10_000 {
        let before = latest - SignedDuration::from_secs((PROFILE_HOURS + 24) * HOUR_SECONDS);
        keys.retain(|_, key| key.expires_at.is_none_or(|expires_at| expires_at > before));
    }
}
