//! What the provider says about itself: its addresses and keys, read when needed and kept for an hour.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use openidconnect::IssuerUrl;
use openidconnect::core::CoreProviderMetadata;
use tokio::sync::Mutex;

use super::OidcError;
use crate::auth::provider_client::{ProviderClient, chain};

const OLD_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// Nobody needs to sign in to make us ask, so that asking is bounded.
const BETWEEN_READS: SignedDuration = SignedDuration::from_secs(10);

#[derive(Debug)]
pub(super) struct Provider {
    issuer: IssuerUrl,
    http: ProviderClient,
    /// Held while reading: one request reads, the others wait for it.
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    known: Option<(CoreProviderMetadata, Timestamp)>,
    asked_at: Option<Timestamp>,
}

impl Provider {
    pub fn new(issuer: IssuerUrl, http: ProviderClient) -> Self {
        Self {
            issuer,
            http,
            state: Arc::default(),
        }
    }

    pub async fn known(&self, now: Timestamp) -> Result<CoreProviderMetadata, OidcError> {
        self.no_older_than(OLD_AFTER, now).await
    }

    /// For keys that are not among the known ones.
    pub async fn read_again(&self, now: Timestamp) -> Result<CoreProviderMetadata, OidcError> {
        self.no_older_than(BETWEEN_READS, now).await
    }

    async fn no_older_than(
        &self,
        age: SignedDuration,
        now: Timestamp,
    ) -> Result<CoreProviderMetadata, OidcError> {
        let mut state = Arc::clone(&self.state).lock_owned().await;
        let is_fresh = |at: Timestamp, age| now.duration_since(at) < age;
        if let Some((known, read_at)) = &state.known
            && is_fresh(*read_at, age)
        {
            return Ok(known.clone());
        }
        if state.asked_at.is_some_and(|at| is_fresh(at, BETWEEN_READS)) {
            return state.as_before("it was asked a moment ago".to_owned());
        }
        let (issuer, http) = (self.issuer.clone(), self.http.clone());
        // A task of its own: a browser that goes away must not break off a reading that counts as done.
        let reading = tokio::spawn(async move { state.read(issuer, &http, now).await });
        reading
            .await
            .unwrap_or_else(|err| Err(OidcError::Unavailable(err.to_string())))
    }
}

impl State {
    async fn read(
        &mut self,
        issuer: IssuerUrl,
        http: &ProviderClient,
        now: Timestamp,
    ) -> Result<CoreProviderMetadata, OidcError> {
        self.asked_at = Some(now);
        match CoreProviderMetadata::discover_async(issuer, http).await {
            Ok(read) => {
                self.known = Some((read.clone(), now));
                Ok(read)
            }
            Err(err) => self.as_before(chain(&err)),
        }
    }

    /// What is older goes on being used while the provider cannot be reached.
    fn as_before(&self, failure: String) -> Result<CoreProviderMetadata, OidcError> {
        match &self.known {
            Some((known, _)) => {
                tracing::warn!(
                    error = failure,
                    "the identity provider could not be read again"
                );
                Ok(known.clone())
            }
            None => Err(OidcError::Unavailable(failure)),
        }
    }
}
