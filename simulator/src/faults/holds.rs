//! Requests that are kept waiting in the middle, so that a test can do something at exactly that point.
//!
//! Failure: what nobody lets go is let go after a minute.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{Hold, Struck};

const LONGEST: Duration = Duration::from_secs(60);

/// A request that waits to be let go.
#[derive(Debug, Clone, Serialize)]
pub struct Held {
    pub id: u64,
    pub service: String,
    pub operation: String,
    pub account_id: String,
    pub path: String,
    /// The text that the rule that holds it is about.
    pub about: Option<String>,
    /// Whether it has taken effect.
    pub performed: bool,
}

#[derive(Debug, Default)]
pub struct Holds(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    held: BTreeMap<u64, (Held, oneshot::Sender<()>)>,
}

impl Holds {
    /// Ends when the request is let go.
    pub async fn keep(&self, request: &Struck<'_>, hold: &Hold) {
        let (release, released) = oneshot::channel();
        let id = {
            let mut inner = self.lock();
            inner.last += 1;
            let held = Held {
                id: inner.last,
                service: request.service.to_owned(),
                operation: request.operation.to_owned(),
                account_id: request.account_id.to_owned(),
                path: request.path.to_owned(),
                about: hold.about.clone(),
                performed: hold.performed,
            };
            let id = held.id;
            inner.held.insert(id, (held, release));
            id
        };
        // Let go, forgotten, or too long: it goes on in any case.
        let _ = timeout(LONGEST, released).await;
        self.lock().held.remove(&id);
    }

    pub fn list(&self) -> Vec<Held> {
        let inner = self.lock();
        inner.held.values().map(|(held, _)| held.clone()).collect()
    }

    /// False: there is no such request, or not any more.
    pub fn release(&self, id: u64) -> bool {
        let held = self.lock().held.remove(&id);
        held.is_some_and(|(_, release)| release.send(()).is_ok())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
