//! Forgets events that are old: they name customers' numbers, and are kept only for as long as somebody may ask. Gives up
//! what was stored for an endpoint by a transaction that still saw it enabled.

use jiff::{SignedDuration, Timestamp};

use crate::background::driver::Found;
use crate::clock::Clock;
use crate::store::{Store, StoreError};

const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// At a time, so that no transaction grows long.
const MOST: i64 = 1000;

#[derive(Debug)]
pub struct EventHistory {
    pub store: Store,
    pub clock: Clock,
}

impl EventHistory {
    pub async fn look(&self) -> Result<Found, StoreError> {
        let now = self.clock.now();
        let before = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        let given_up = self.store.deliveries_abandon_disabled(now, MOST).await?;
        let forgotten = self.store.events_forget(before, MOST).await?;
        Ok(match given_up.saturating_add(forgotten) {
            0 => Found::Nothing,
            _ => Found::Work,
        })
    }
}
