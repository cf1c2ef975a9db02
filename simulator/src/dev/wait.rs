//! Waiting on a condition with a bound, so that nothing hangs and nothing sleeps longer than it must.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{DevError, Result};

/// What one look at the condition saw.
#[derive(Debug)]
pub enum Seen<T> {
    Done(T),
    NotYet(String),
}

impl<T> Seen<T> {
    pub fn not_yet(what: impl Display) -> Self {
        Self::NotYet(what.to_string())
    }
}

/// Looks every `step` until the condition holds, or gives up after `bound` and says what was last seen.
pub async fn until<T, F>(what: &str, bound: Duration, step: Duration, mut look: F) -> Result<T>
where
    F: AsyncFnMut() -> Result<Seen<T>>,
{
    let begun = Instant::now();
    loop {
        let seen = match look().await? {
            Seen::Done(value) => return Ok(value),
            Seen::NotYet(seen) => seen,
        };
        if begun.elapsed() >= bound {
            return Err(DevError::Timeout {
                what: what.to_owned(),
                seconds: bound.as_secs(),
                seen,
            });
        }
        sleep(step).await;
    }
}
