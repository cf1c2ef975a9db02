//! Takes away what nobody may ask for any more: answers kept for repeated requests, sessions that have ended, and people who
//! were here once and are nobody's member.

use std::time::Duration;

use crate::auth::session::idle_since;
use crate::background::Found;
use crate::clock::Clock;
use crate::store::{ANSWERS_KEPT_FOR, Store, StoreError};

/// After their last sign-in. Who comes back later is somebody new.
const PEOPLE_KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const PEOPLE_AT_ONCE: i64 = 100;

#[derive(Debug)]
pub struct Cleanup {
    pub store: Store,
    pub clock: Clock,
}

impl Cleanup {
    pub async fn look(&self) -> Result<Found, StoreError> {
        let now = self.clock.now();
        let forgotten_before = now.checked_sub(ANSWERS_KEPT_FOR).unwrap_or(now);
        let answers = self.store.answers_purge(forgotten_before).await?;
        let people = self.people().await?;
        Ok(match answers.saturating_add(people) {
            0 => Found::Nothing,
            _ => Found::Work,
        })
    }

    async fn people(&self) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let gone_since = now.checked_sub(PEOPLE_KEPT_FOR).unwrap_or(now);
        let mut tx = self
            .store
            .system("people and their sessions belong to no tenant")
            .await?;
        tx.session_sweep(now, idle_since(now)).await?;
        let forgotten = tx.people_forget(gone_since, PEOPLE_AT_ONCE).await?;
        tx.commit().await?;
        Ok(forgotten)
    }
}
