//! A customer's role as a client goes on using it: a session that is about to end is followed by another.
//!
//! Invariant: whether a session is still good is for the clock that is passed in to say, at every request, so that work that
//! outlasts a session goes on. Failure: a role that lets nobody in any more ends the request with what STS said.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

use super::error::{AwsError, AwsErrorKind};
use super::sts::{self, InstanceAccess, Purpose, Sessions};
use crate::clock::Clock;

/// Sessions for one purpose, by the first of these ways that is open.
#[derive(Debug)]
pub(super) struct RoleCredentials {
    pub(super) sessions: Arc<Sessions>,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) clock: Clock,
    pub(super) ways: Vec<InstanceAccess>,
    pub(super) purpose: Purpose,
    /// The way that was open last: the others are not tried again at every request.
    pub(super) open: AtomicUsize,
}

impl RoleCredentials {
    pub(super) async fn credentials(&self) -> Result<Credentials, AwsError> {
        let now = self.clock.now();
        let open = self.ways.get(self.open.load(Ordering::Relaxed));
        let kept = |access| self.sessions.get(access, self.purpose, now);
        if let Some(credentials) = open.and_then(kept) {
            return Ok(credentials);
        }
        let mut refused = AwsError::transient("sts:AssumeRole", "there is no role to assume");
        for (place, access) in self.ways.iter().enumerate() {
            let policy = self.purpose.policy(&access.instance_arn);
            let session = match kept(access) {
                Some(credentials) => Ok(credentials),
                None => sts::assume(&self.sts, access, Some(&access.external_id), policy)
                    .await
                    .map(|session| {
                        self.sessions.keep(access, self.purpose, &session);
                        session.credentials
                    }),
            };
            match session {
                Ok(credentials) => {
                    self.open.store(place, Ordering::Relaxed);
                    return Ok(credentials);
                }
                Err(err) if err.kind == AwsErrorKind::AccessDenied => {
                    // The first way's refusal tells what is wrong.
                    if place == 0 {
                        refused = err;
                    }
                }
                Err(err) => return Err(err),
            }
        }
        Err(refused)
    }
}

impl ProvideCredentials for RoleCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.credentials()
                .await
                .map_err(CredentialsError::provider_error)
        })
    }
}
