//! The customer's runtime role: one narrowed session per instance, kept until shortly before it ends.
//!
//! While the customer changes the external id or the role there are several ways in, of which any may be the open one:
//! where the first is refused the others are tried, so that no call and no notice has to wait for the change to be over.
//! Where all are refused, the snapshot at hand may be older than the change: the table is read anew, before giving up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use jiff::Timestamp;
use ringfence_policy::wire::v1::{RuntimeAccess, Snapshot};

use super::clients::Aws;
use super::failure::{Class, Failure};
use super::policies::PolicyTable;
use crate::clock::Clock;
use crate::event::InstanceArn;

pub(super) const OPERATION: &str = "assuming the runtime role";
const SESSION_NAME: &str = "ringfence-limiter";
/// The limiter runs as a role itself, and a chained session lasts an hour at most.
const SESSION_SECONDS: i32 = 3600;
const RENEWED_BEFORE: Duration = Duration::from_secs(300);
/// A way that was refused is not tried again for so long, as long as another one is open.
const REFUSED_FOR: Duration = Duration::from_secs(60);

#[derive(Clone)]
struct Session {
    way: RuntimeAccess,
    client: aws_sdk_connect::Client,
    ends_at: Timestamp,
    /// The better way that was refused for it, and until when that is taken for granted.
    instead_of: Option<(RuntimeAccess, Timestamp)>,
}

pub(super) struct RuntimeRoles {
    aws: Arc<Aws>,
    clock: Arc<dyn Clock>,
    policies: PolicyTable,
    sessions: Mutex<HashMap<String, Session>>,
}

impl RuntimeRoles {
    pub(super) fn new(aws: Arc<Aws>, clock: Arc<dyn Clock>, policies: PolicyTable) -> Self {
        Self {
            aws,
            clock,
            policies,
            sessions: Mutex::new(HashMap::new()),
        }
    }

    /// A client that may stop contacts and start tasks in this instance, and nothing else.
    pub(super) async fn client(
        &self,
        instance: &InstanceArn,
        snapshot: &Snapshot,
    ) -> Result<aws_sdk_connect::Client, Failure> {
        let ways = ways(snapshot);
        let Some(best) = ways.first() else {
            return Err(Failure::new(OPERATION, "no_runtime_role", Class::Permanent));
        };
        let kept = self.kept(instance);
        if let Some(session) = kept.as_ref().filter(|session| self.serves(session, best)) {
            return Ok(session.client.clone());
        }
        let refused = match self.open(instance, &ways, kept.as_ref()).await {
            Ok(session) => return Ok(self.keep(instance, session, best)),
            Err(failure) if failure.is_denial() => failure,
            Err(failure) => return Err(failure),
        };
        let others = self.published_since(instance, &ways).await;
        if others.is_empty() {
            return Err(refused);
        }
        let session = self.open(instance, &others, kept.as_ref()).await?;
        Ok(self.keep(instance, session, best))
    }

    /// Gets in by the first of these ways that is open.
    async fn open(
        &self,
        instance: &InstanceArn,
        ways: &[RuntimeAccess],
        kept: Option<&Session>,
    ) -> Result<Session, Failure> {
        let mut refused = None;
        for way in ways {
            let found = match kept {
                Some(session) if session.way == *way => Ok(session.clone()),
                _ => self.assume(instance, way).await,
            };
            match found {
                Err(failure) if failure.is_denial() => {
                    refused.get_or_insert(failure);
                }
                found => return found,
            }
        }
        Err(refused.unwrap_or_else(|| Failure::new(OPERATION, "refused", Class::Permanent)))
    }

    /// Ways that are known by now, and were not when the snapshot at hand was read.
    async fn published_since(
        &self,
        instance: &InstanceArn,
        known: &[RuntimeAccess],
    ) -> Vec<RuntimeAccess> {
        match self.policies.read_latest(&instance.arn).await {
            Ok(Some(snapshot)) => {
                let mut found = ways(&snapshot);
                found.retain(|way| !known.contains(way));
                found
            }
            Ok(None) => Vec::new(),
            Err(failure) => {
                tracing::warn!(instance_arn = instance.arn, %failure, "whether there is another way in cannot be read");
                Vec::new()
            }
        }
    }

    pub(super) fn forget(&self, instance: &InstanceArn) {
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&instance.arn);
    }

    async fn assume(
        &self,
        instance: &InstanceArn,
        way: &RuntimeAccess,
    ) -> Result<Session, Failure> {
        let request = self
            .aws
            .sts()
            .assume_role()
            .role_arn(&way.role_arn)
            .external_id(&way.external_id)
            .role_session_name(SESSION_NAME)
            .duration_seconds(SESSION_SECONDS)
            .policy(session_policy(&instance.arn));
        let answer = request
            .send()
            .await
            .map_err(|err| Failure::of(OPERATION, &err))?;
        let granted = answer.credentials.ok_or(Failure::new(
            OPERATION,
            "no_credentials",
            Class::Transient,
        ))?;
        let ends_at = Timestamp::from_second(granted.expiration.secs()).unwrap_or(Timestamp::MIN);
        let credentials = Credentials::new(
            granted.access_key_id,
            granted.secret_access_key,
            Some(granted.session_token),
            None,
            "runtime role",
        );
        Ok(Session {
            way: way.clone(),
            client: self.aws.connect(&instance.region, credentials),
            ends_at,
            instead_of: None,
        })
    }

    fn keep(
        &self,
        instance: &InstanceArn,
        session: Session,
        best: &RuntimeAccess,
    ) -> aws_sdk_connect::Client {
        let until = self.clock.now().checked_add(REFUSED_FOR);
        let instead_of =
            (session.way != *best).then(|| (best.clone(), until.unwrap_or(Timestamp::MAX)));
        let session = Session {
            instead_of,
            ..session
        };
        let client = session.client.clone();
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(instance.arn.clone(), session);
        client
    }

    /// The kept session, unless it ends soon.
    fn kept(&self, instance: &InstanceArn) -> Option<Session> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get(&instance.arn)?;
        let lasts = session.ends_at.duration_since(self.clock.now()).as_secs()
            > RENEWED_BEFORE.as_secs().cast_signed();
        lasts.then(|| session.clone())
    }

    /// Whether nothing better than this session needs to be tried.
    fn serves(&self, session: &Session, best: &RuntimeAccess) -> bool {
        session.way == *best
            || session
                .instead_of
                .as_ref()
                .is_some_and(|(refused, until)| refused == best && self.clock.now() < *until)
    }
}

/// Every way in that the control plane knows of, the best first.
fn ways(snapshot: &Snapshot) -> Vec<RuntimeAccess> {
    let first = snapshot
        .runtime_role_arn
        .iter()
        .zip(&snapshot.external_id)
        .map(|(role_arn, external_id)| RuntimeAccess {
            role_arn: role_arn.clone(),
            external_id: external_id.clone(),
        });
    first
        .chain(snapshot.other_runtime_access.iter().cloned())
        .collect()
}

fn session_policy(instance_arn: &str) -> String {
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "connect:StopContact", "Resource": format!("{instance_arn}/contact/*")},
            {"Effect": "Allow", "Action": "connect:StartTaskContact", "Resource": [
                format!("{instance_arn}/contact/*"), format!("{instance_arn}/contact-flow/*")
            ]},
        ]
    })
    .to_string()
}
