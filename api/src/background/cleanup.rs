//! Takes away what nobody may ask for any more: answers kept for repeated requests.

use crate::background::Found;
use crate::clock::Clock;
use crate::store::{ANSWERS_KEPT_FOR, Store, StoreError};

#[derive(Debug)]
pub struct Cleanup {
    pub store: Store,
    pub clock: Clock,
}

impl Cleanup {
    pub async fn look(&self) -> Result<Found, StoreError> {
        let now = self.clock.now();
        let forgotten_before = now.checked_sub(ANSWERS_KEPT_FOR).unwrap_or(now);
        match self.store.answers_purge(forgotten_before).await? {
            0 => Ok(Found::Nothing),
            _ => Ok(Found::Work),
        }
    }
}
