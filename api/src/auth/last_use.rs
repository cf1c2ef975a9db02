//! When keys and sessions were last used: written beside the request, which never waits for it, and at most once a minute
//! for each.
//!
//! Failure: a use that cannot be written is lost; the next one a minute later is tried again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::{ApiKeyId, OperatorKeyId, SessionId, TenantId};
use crate::store::{Store, StoreError};

const PRECISION: SignedDuration = SignedDuration::from_secs(60);
/// More than that are tidied up: what is older than a minute says nothing any more.
const REMEMBERED: usize = 10_000;
const REASON: &str = "a credential's use is written down whosever it is";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Used {
    ApiKey(TenantId, ApiKeyId),
    OperatorKey(OperatorKeyId),
    Session(SessionId),
}

#[derive(Debug, Clone)]
pub(super) struct LastUse {
    store: Store,
    /// What this process has begun to write of late.
    begun: Arc<Mutex<HashMap<Used, Timestamp>>>,
}

impl LastUse {
    pub fn new(store: Store) -> Self {
        Self {
            store,
            begun: Arc::default(),
        }
    }

    /// `stored`: when it was last used as far as the database knows.
    pub fn note(&self, used: Used, stored: Option<Timestamp>, now: Timestamp) {
        if stored.is_some_and(|at| is_recent(at, now)) || !self.begin(used, now) {
            return;
        }
        let store = self.store.clone();
        tokio::spawn(async move {
            if let Err(err) = write(&store, used, now).await {
                tracing::warn!(error = %err, "when a credential was last used could not be written down");
            }
        });
    }

    fn begin(&self, used: Used, now: Timestamp) -> bool {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if begun.get(&used).is_some_and(|at| is_recent(*at, now)) {
            return false;
        }
        if begun.len() >= REMEMBERED {
            begun.retain(|_, at| is_recent(*at, now));
        }
        begun.insert(used, now);
        true
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) < PRECISION
}

async fn write(store: &Store, used: Used, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.system(REASON).await?;
    match used {
        Used::ApiKey(tenant, id) => tx.api_key_used(tenant, id, now).await?,
        Used::OperatorKey(id) => tx.operator_key_used(id, now).await?,
        Used::Session(id) => tx.session_used(id, now).await?,
    }
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn a_credential_is_written_at_most_once_a_minute_whatever_the_database_says() {
        let store = Store::connect_lazily("postgres://nobody@127.0.0.1:1/none").expect("a pool");
        let last_use = LastUse::new(store);
        let (one, other) = (
            Used::Session(SessionId(Uuid::nil())),
            Used::Session(SessionId(Uuid::max())),
        );
        let now = Timestamp::UNIX_EPOCH;
        assert!(last_use.begin(one, now));
        assert!(!last_use.begin(one, now + SignedDuration::from_secs(59)));
        assert!(last_use.begin(other, now));
        assert!(last_use.begin(one, now + SignedDuration::from_secs(60)));
    }
}
