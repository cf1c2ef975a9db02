//! The customer's runtime role: one narrowed session per instance, kept until shortly before it ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use jiff::Timestamp;
use ringfence_policy::wire::v1::Snapshot;

use super::clients::Aws;
use super::failure::{Class, Failure};
use crate::clock::Clock;
use crate::event::InstanceArn;

pub(super) const OPERATION: &str = "assuming the runtime role";
const SESSION_NAME: &str = "ringfence-limiter";
/// The limiter runs as a role itself, and a chained session lasts an hour at most.
const SESSION_SECONDS: i32 = 3600;
const RENEWED_BEFORE: Duration = Duration::from_secs(300);

#[derive(Clone)]
struct Session {
    role_arn: String,
    external_id: String,
    client: aws_sdk_connect::Client,
    ends_at: Timestamp,
}

pub(super) struct RuntimeRoles {
    aws: Arc<Aws>,
    clock: Arc<dyn Clock>,
    sessions: Mutex<HashMap<String, Session>>,
}

impl RuntimeRoles {
    pub(super) fn new(aws: Arc<Aws>, clock: Arc<dyn Clock>) -> Self {
        Self {
            aws,
            clock,
            sessions: Mutex::new(HashMap::new()),
        }
    }

    /// A client that may stop contacts and start tasks in this instance, and nothing else.
    pub(super) async fn client(
        &self,
        instance: &InstanceArn,
        snapshot: &Snapshot,
    ) -> Result<aws_sdk_connect::Client, Failure> {
        let (Some(role_arn), Some(external_id)) =
            (&snapshot.runtime_role_arn, &snapshot.external_id)
        else {
            return Err(Failure::new(OPERATION, "no_runtime_role", Class::Permanent));
        };
        if let Some(client) = self.kept(instance, role_arn, external_id) {
            return Ok(client);
        }
        let request = self
            .aws
            .sts()
            .assume_role()
            .role_arn(role_arn)
            .external_id(external_id)
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
        let client = self.aws.connect(&instance.region, credentials);
        let session = Session {
            role_arn: role_arn.clone(),
            external_id: external_id.clone(),
            client: client.clone(),
            ends_at,
        };
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(instance.arn.clone(), session);
        Ok(client)
    }

    pub(super) fn forget(&self, instance: &InstanceArn) {
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&instance.arn);
    }

    fn kept(
        &self,
        instance: &InstanceArn,
        role_arn: &str,
        external_id: &str,
    ) -> Option<aws_sdk_connect::Client> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get(&instance.arn)?;
        let lasts = session.ends_at.duration_since(self.clock.now()).as_secs()
            > RENEWED_BEFORE.as_secs().cast_signed();
        (lasts && session.role_arn == role_arn && session.external_id == external_id)
            .then(|| session.client.clone())
    }
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
