//! The policy in force for an instance: cached for a few seconds, and for as long as the table cannot be read.
//!
//! A cached policy is replaced by a later revision only, so a late answer never turns a change back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use ringfence_policy::wire::v1::Snapshot;
use tokio::time::{Instant, timeout_at};

use crate::adapters::{Failure, PolicyTable};
use crate::metrics::Measures;

/// How long a decision waits for a newer policy when it has one to go by.
const REFRESH_WAITS: Duration = Duration::from_millis(300);

/// What is known of an instance.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    Policy(Arc<Snapshot>),
    Unregistered,
}

#[derive(Clone)]
struct Cached {
    found: Found,
    checked_at: Timestamp,
}

pub(crate) struct Policies {
    table: PolicyTable,
    max_age: Duration,
    cache: Mutex<HashMap<String, Cached>>,
}

impl Policies {
    pub(crate) fn new(table: PolicyTable, max_age: Duration) -> Self {
        Self {
            table,
            max_age,
            cache: Mutex::new(HashMap::new()),
        }
    }

    pub(crate) async fn find(
        &self,
        instance_arn: &str,
        now: Timestamp,
        measures: &Measures,
    ) -> Result<Found, Failure> {
        let cached = self.cached(instance_arn);
        if let Some(cached) = &cached
            && self.is_fresh(cached, now)
        {
            measures.policy_age(age(cached, now));
            return Ok(cached.found.clone());
        }
        measures.store_round();
        let Some(cached) = cached else {
            let found = self.read(instance_arn).await?;
            measures.policy_age(Duration::ZERO);
            return Ok(self.keep(instance_arn, found, now));
        };
        let found = match timeout_at(Instant::now() + REFRESH_WAITS, self.read(instance_arn)).await
        {
            Ok(Ok(found)) => {
                measures.policy_age(Duration::ZERO);
                found
            }
            Ok(Err(failure)) => {
                let age_ms = now.duration_since(cached.checked_at).as_millis();
                measures.policy_age(age(&cached, now));
                tracing::warn!(instance_arn, %failure, age_ms, "policy not readable, serving the cached one");
                cached.found
            }
            Err(_) => {
                measures.policy_age(age(&cached, now));
                tracing::warn!(
                    instance_arn,
                    "policy not readable in time, serving the cached one"
                );
                cached.found
            }
        };
        Ok(self.keep(instance_arn, found, now))
    }

    /// What was last known, however old.
    pub(crate) fn last_known(&self, instance_arn: &str) -> Option<Found> {
        self.cached(instance_arn).map(|cached| cached.found)
    }

    async fn read(&self, instance_arn: &str) -> Result<Found, Failure> {
        Ok(match self.table.read(instance_arn).await? {
            Some(snapshot) => Found::Policy(Arc::new(snapshot)),
            None => Found::Unregistered,
        })
    }

    fn is_fresh(&self, cached: &Cached, now: Timestamp) -> bool {
        now >= cached.checked_at && age(cached, now) < self.max_age
    }

    fn cached(&self, instance_arn: &str) -> Option<Cached> {
        self.cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(instance_arn)
            .cloned()
    }

    fn keep(&self, instance_arn: &str, found: Found, now: Timestamp) -> Found {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        // An instance that was given up and registered anew has another id, and counts its revisions anew.
        let newer = match (cache.get(instance_arn).map(|cached| &cached.found), &found) {
            (Some(Found::Policy(kept)), Found::Policy(read))
                if kept.instance_id == read.instance_id && kept.revision > read.revision =>
            {
                Found::Policy(kept.clone())
            }
            _ => found,
        };
        cache.insert(
            instance_arn.to_owned(),
            Cached {
                found: newer.clone(),
                checked_at: now,
            },
        );
        newer
    }
}

fn age(cached: &Cached, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(cached.checked_at)).unwrap_or_default()
}
