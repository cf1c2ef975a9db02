//! The policy in force for an instance: cached, and served for as long as the table cannot be read.
//!
//! A young policy is served as it is. One of middling age is served as well and read again beside the decision, so that
//! usual calls never wait for it; an old one is read first. A cached policy is replaced by a later revision only, so a
//! late answer never turns a change back. Failure: what cannot be read leaves the cached policy in force, and ageing.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use ringfence_policy::wire::v1::{Snapshot, Status};
use tokio::time::{Instant, timeout_at};

use crate::adapters::{Failure, PolicyTable};
use crate::guard::guarded;
use crate::metrics::Measures;

/// How long a decision waits for a newer policy when it has one to go by.
const REFRESH_WAITS: Duration = Duration::from_millis(300);
/// How long one may be under way beside decisions.
const REFRESH_TAKES: Duration = Duration::from_secs(3);
/// From so many maximum ages on, a policy is read before it decides.
const OLD: u32 = 3;

/// A key that no instance has.
const NO_INSTANCE: &str = "-";

/// What is known of an instance.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    Policy(Arc<Snapshot>),
    Unregistered,
}

impl Found {
    /// Whether a decision follows, beside which there is time to read.
    fn decides(&self) -> bool {
        matches!(self, Self::Policy(snapshot) if snapshot.status == Status::Active)
    }
}

#[derive(Clone)]
struct Cached {
    found: Found,
    read_at: Timestamp,
    /// The last time that reading was tried, so that a table which does not answer is not waited for by every call.
    tried_at: Timestamp,
}

impl Cached {
    fn age(&self, now: Timestamp) -> Duration {
        Duration::try_from(now.duration_since(self.read_at)).unwrap_or_default()
    }

    /// A clock that was set back makes the age unknown.
    fn is_younger_than(&self, age: Duration, now: Timestamp) -> bool {
        now >= self.read_at && self.age(now) < age
    }

    fn tried_within(&self, age: Duration, now: Timestamp) -> bool {
        Duration::try_from(now.duration_since(self.tried_at)).is_ok_and(|since| since < age)
    }
}

pub(crate) struct Policies {
    table: PolicyTable,
    max_age: Duration,
    cache: Mutex<HashMap<String, Cached>>,
    refreshing: Mutex<HashSet<String>>,
}

impl Policies {
    pub(crate) fn new(table: PolicyTable, max_age: Duration) -> Self {
        Self {
            table,
            max_age,
            cache: Mutex::new(HashMap::new()),
            refreshing: Mutex::new(HashSet::new()),
        }
    }

    pub(crate) async fn find(
        self: &Arc<Self>,
        instance_arn: &str,
        now: Timestamp,
        measures: &Measures,
    ) -> Result<Found, Failure> {
        let Some(cached) = self.cached(instance_arn) else {
            measures.store_round();
            let found = self.read(instance_arn).await?;
            measures.policy_age(Duration::ZERO);
            return Ok(self.keep(instance_arn, found, now));
        };
        measures.policy_age(cached.age(now));
        if cached.is_younger_than(self.max_age, now) || cached.tried_within(self.max_age, now) {
            return Ok(cached.found);
        }
        if cached.found.decides() && cached.is_younger_than(self.max_age * OLD, now) {
            self.refresh_beside(instance_arn, now);
            return Ok(cached.found);
        }
        measures.store_round();
        let until = Instant::now() + REFRESH_WAITS;
        let Ok(read) = timeout_at(until, self.read(instance_arn)).await else {
            tracing::warn!(
                instance_arn,
                "policy not readable in time, serving the cached one"
            );
            self.tried(instance_arn, now);
            return Ok(cached.found);
        };
        match read {
            Ok(found) => {
                measures.policy_age(Duration::ZERO);
                Ok(self.keep(instance_arn, found, now))
            }
            Err(failure) => {
                tracing::warn!(instance_arn, %failure, "policy not readable, serving the cached one");
                self.tried(instance_arn, now);
                Ok(cached.found)
            }
        }
    }

    /// A request that only brings up a connection.
    pub(crate) async fn reach_table(&self) {
        if let Err(failure) = self.table.read(NO_INSTANCE).await {
            tracing::warn!(%failure, "the policies are not reached");
        }
    }

    /// What was last known, however old.
    pub(crate) fn last_known(&self, instance_arn: &str) -> Option<Found> {
        self.cached(instance_arn).map(|cached| cached.found)
    }

    /// Reads on while the decision is made; where the process is halted before the end, it goes on with the next call.
    fn refresh_beside(self: &Arc<Self>, instance_arn: &str, now: Timestamp) {
        if !locked(&self.refreshing).insert(instance_arn.to_owned()) {
            return;
        }
        let (policies, instance_arn) = (self.clone(), instance_arn.to_owned());
        tokio::spawn(async move {
            let until = Instant::now() + REFRESH_TAKES;
            match guarded(until, policies.read(&instance_arn)).await {
                Ok(found) => {
                    policies.keep(&instance_arn, found, now);
                }
                Err(unavailable) => {
                    tracing::warn!(instance_arn, %unavailable, "policy not readable, the cached one stays");
                    policies.tried(&instance_arn, now);
                }
            }
            locked(&policies.refreshing).remove(&instance_arn);
        });
    }

    async fn read(&self, instance_arn: &str) -> Result<Found, Failure> {
        Ok(match self.table.read(instance_arn).await? {
            Some(snapshot) => Found::Policy(Arc::new(snapshot)),
            None => Found::Unregistered,
        })
    }

    fn cached(&self, instance_arn: &str) -> Option<Cached> {
        locked(&self.cache).get(instance_arn).cloned()
    }

    fn tried(&self, instance_arn: &str, now: Timestamp) {
        if let Some(cached) = locked(&self.cache).get_mut(instance_arn) {
            cached.tried_at = now;
        }
    }

    fn keep(&self, instance_arn: &str, found: Found, now: Timestamp) -> Found {
        let mut cache = locked(&self.cache);
        // An instance that was given up and registered anew has another id, and counts its revisions anew.
        let newer = match (cache.get(instance_arn).map(|cached| &cached.found), &found) {
            (Some(Found::Policy(kept)), Found::Policy(read))
                if kept.instance_id == read.instance_id && kept.revision > read.revision =>
            {
                Found::Policy(kept.clone())
            }
            _ => found,
        };
        let cached = Cached {
            found: newer.clone(),
            read_at: now,
            tried_at: now,
        };
        cache.insert(instance_arn.to_owned(), cached);
        newer
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
