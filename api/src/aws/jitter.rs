//! Spreads waiting times, so that what failed together does not come back together.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A seeded source of spread; clones share it.
#[derive(Debug, Clone)]
pub struct Jitter {
    generator: Arc<Mutex<StdRng>>,
}

impl Jitter {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            generator: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))),
        }
    }

    /// Between half of and one and a half times `pause`.
    #[must_use]
    pub fn spread(&self, pause: Duration) -> Duration {
        let mut generator = self
            .generator
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        pause.mul_f64(generator.random_range(0.5..1.5))
    }

    /// Between three quarters and all of `period`: what is promised within a period comes within it.
    #[must_use]
    pub fn shorten(&self, period: Duration) -> Duration {
        let mut generator = self
            .generator
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        period.mul_f64(generator.random_range(0.75..1.0))
    }
}
