//! What handlers work with.

use std::ops::Deref;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::live_streams::LiveStreams;
use super::rate::Buckets;
use super::turns::Turns;
use super::watched::Watched;
use crate::auth::Authenticator;
use crate::auth::oidc::Oidc;
use crate::aws::Aws;
use crate::background::WakeUps;
use crate::clock::{Clock, IdSource};
use crate::config::Settings;
use crate::outbound::Outbound;
use crate::store::Store;

#[derive(Debug)]
pub struct Parts {
    pub store: Store,
    pub clock: Clock,
    pub ids: IdSource,
    pub authenticator: Authenticator,
    /// None: people cannot sign in, there are keys and tokens only.
    pub oidc: Option<Oidc>,
    pub aws: Arc<Aws>,
    pub wake_ups: WakeUps,
    /// For addresses that tenants name.
    pub outbound: Outbound,
    pub settings: Settings,
    pub watched: Watched,
    /// Cancelled once the process is about to stop: from then on it asks for no new requests.
    pub draining: CancellationToken,
    pub buckets: Buckets,
    pub live_streams: LiveStreams,
    pub turns: Turns,
    /// Where customers reach us.
    pub public_url: Url,
}

/// Shared by all requests.
#[derive(Debug, Clone)]
pub struct AppState(Arc<Parts>);

impl AppState {
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// To the microsecond, as the database keeps it, so that what is answered is what is stored.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
