//! What the provider says about itself: its addresses and keys, read when needed and kept for an hour.

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
    state: Mutex<State>,
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
            state: Mutex::default(),
        }
    }

    pub async fn known(&self, now: Timestamp) -> Result<CoreProviderMetadata, OidcError> {
        self.no_older_than(OLD_AFTER, now).await
    }

    /// For keys that are not among the known ones.
    pub async fn read_again(&self, now: Timestamp) -> Result<CoreProviderMetadata, OidcError> {
        self.no_older_than(BETWEEN_READS, now).await
    }

    /// What is older goes on being used while the provider cannot be reached.
    async fn no_older_than(
        &self,
        age: SignedDuration,
        now: Timestamp,
    ) -> Result<CoreProviderMetadata, OidcError> {
        let mut state = self.state.lock().await;
        let is_fresh = |at: Timestamp, age| now.duration_since(at) < age;
        if let Some((known, read_at)) = &state.known
            && is_fresh(*read_at, age)
        {
            return Ok(known.clone());
        }
        let mut failure = "it was asked a moment ago".to_owned();
        if !state.asked_at.is_some_and(|at| is_fresh(at, BETWEEN_READS)) {
            state.asked_at = Some(now);
            match CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http).await {
                Ok(read) => {
                    state.known = Some((read.clone(), now));
                    return Ok(read);
                }
                Err(err) => failure = chain(&err),
            }
        }
        match &state.known {
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
