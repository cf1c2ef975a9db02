//! Accounts, access keys, roles and their sessions.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::aws::{AwsError, Caller, Identity};
use crate::clock::Ids;
use crate::world::Context;

/// Everything about identities.
#[derive(Debug, Default)]
pub struct State(Mutex<Inner>);

/// What the lock guards.
#[derive(Debug, Default)]
pub struct Inner {
    pub keys: BTreeMap<String, AccessKey>,
    pub roles: BTreeMap<String, Role>,
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
    pub arn: String,
    pub name: String,
    pub account_id: String,
    pub trust_policy: Value,
    pub policies: Vec<Value>,
    pub max_session_seconds: u32,
    /// What `AssumedRoleId` begins with.
    pub id: String,
}

/// Why a role cannot be stored.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Refusal {
    pub field: &'static str,
    pub message: String,
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
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

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

    pub fn role_exists(&self, role_arn: &str) -> bool {
        self.lock().roles.contains_key(role_arn)
    }

    /// Makes a role, or replaces the one of that name.
    pub fn put_role(
        &self,
        account_id: &str,
        name: &str,
        trust_policy: Value,
        policies: Vec<Value>,
        max_session_seconds: u32,
        ids: &Ids,
    ) -> Result<String, Refusal> {
        let arn = format!("arn:aws:iam::{account_id}:role/{name}");
        let role = Role {
            arn: arn.clone(),
            name: name.to_owned(),
            account_id: account_id.to_owned(),
            trust_policy,
            policies,
            max_session_seconds,
            id: format!("AROA{}", ids.token(17)),
        };
        self.lock().roles.insert(arn.clone(), role);
        Ok(arn)
    }

    /// A role with all rights in its own account, and to assume any role.
    pub fn make_execution_role(
        &self,
        account_id: &str,
        name: &str,
        ids: &Ids,
    ) -> Result<String, Refusal> {
        let own = [
            format!("arn:aws:*:*:{account_id}:*"),
            format!("arn:aws:*::{account_id}:*"),
        ];
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": own},
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]});
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
        self.put_role(account_id, name, trust, vec![policy], 3600, ids)
    }

    /// What an instance profile or Lambda would hand out.
    pub fn role_credentials(
        &self,
        role_arn: &str,
        session: &str,
        ids: &Ids,
        now: Timestamp,
    ) -> Result<Credentials, AwsError> {
        let mut inner = self.lock();
        let missing = || AwsError::new(404, "NoSuchEntity", format!("There is no role {role_arn}"));
        let role = inner.roles.get(role_arn).ok_or_else(missing)?;
        let credentials = Credentials {
            access_key_id: format!("ASIA{}", ids.token(16)),
            secret_access_key: ids.token(40),
            session_token: ids.token(120),
            expires_at: now + SignedDuration::from_hours(12),
        };
        let caller = Caller {
            account_id: role.account_id.clone(),
            arn: format!(
                "arn:aws:sts::{}:assumed-role/{}/{session}",
                role.account_id, role.name
            ),
            identity: Identity::Session {
                role_arn: role_arn.to_owned(),
                session_policy: None,
            },
        };
        let key = AccessKey {
            secret: credentials.secret_access_key.clone(),
            session_token: Some(credentials.session_token.clone()),
            expires_at: Some(credentials.expires_at),
            caller,
        };
        inner.keys.insert(credentials.access_key_id.clone(), key);
        Ok(credentials)
    }

    /// To be decided by policies; until they are evaluated, an account is the only border.
    pub fn authorize(
        &self,
        _caller: &Caller,
        _action: &str,
        _resources: &[&str],
        _context: &Context,
    ) -> Result<(), AwsError> {
        Ok(())
    }
}
