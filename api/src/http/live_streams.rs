//! How many live streams are open: in this process, and of one tenant. Each asks the database every second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::problem::{ApiError, ApiResult, Code};
use crate::domain::ids::TenantId;

const OF_ALL_MAX: usize = 200;
const OF_A_TENANT_MAX: usize = 10;
/// Streams end by themselves after minutes at most; most are closed sooner.
const RETRY_AFTER_SECONDS: u32 = 30;

/// Each process counts for itself. Who has none is absent.
#[derive(Debug, Clone, Default)]
pub struct LiveStreams(Arc<Mutex<HashMap<TenantId, usize>>>);

/// The place of an open stream, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    streams: LiveStreams,
    tenant: TenantId,
}

impl LiveStreams {
    pub(super) fn open(&self, tenant: TenantId) -> ApiResult<Place> {
        let mut open = self.counts();
        if open.get(&tenant).is_some_and(|own| *own >= OF_A_TENANT_MAX) {
            let detail = format!(
                "{OF_A_TENANT_MAX} live streams of yours are open; close one, or wait until one ends"
            );
            return Err(ApiError::new(Code::RateLimited, detail).retry_after(RETRY_AFTER_SECONDS));
        }
        if open.values().sum::<usize>() >= OF_ALL_MAX {
            let detail = "too many live streams are open; try again in a moment";
            return Err(
                ApiError::new(Code::ServiceUnavailable, detail).retry_after(RETRY_AFTER_SECONDS)
            );
        }
        *open.entry(tenant).or_default() += 1;
        drop(open);
        Ok(Place {
            streams: self.clone(),
            tenant,
        })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<TenantId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.counts();
        if let Some(own) = open.get_mut(&self.tenant) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn tenant(number: u128) -> TenantId {
        TenantId(Uuid::from_u128(number))
    }

    #[test]
    fn a_tenant_and_a_process_have_so_many_live_streams_and_a_closed_one_gives_its_place_back() {
        let streams = LiveStreams::default();
        let open = |number| streams.open(tenant(number)).map_err(|err| err.code());
        let mut own: Vec<Place> = (0..OF_A_TENANT_MAX)
            .map(|_| open(0).expect("a place"))
            .collect();
        assert_eq!(open(0).expect_err("none"), Code::RateLimited);
        own.pop();
        own.push(open(0).expect("the one given back"));
        let others: Vec<Place> = (OF_A_TENANT_MAX..OF_ALL_MAX)
            .zip(1..)
            .map(|(_, number)| open(number).expect("a place"))
            .collect();
        assert_eq!(open(1_000).expect_err("none"), Code::ServiceUnavailable);
        drop((own, others));
        assert!(streams.counts().is_empty());
    }
}
