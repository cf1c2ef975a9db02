//! Time and ids: the only places where the simulator asks the machine for either.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// The machine's clock, or one that a test moves.
#[derive(Debug)]
pub enum Clock {
    System,
    Manual(Mutex<Timestamp>),
}

impl Clock {
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Mutex::new(start))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else is given"
    )]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Manual(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a manual clock; the machine's cannot be moved.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(now) = self {
            let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
            if let Ok(later) = SignedDuration::try_from(by)
                .map_err(drop)
                .and_then(|by| now.checked_add(by).map_err(drop))
            {
                *now = later;
            }
        }
    }
}

/// Ids and secrets.
#[derive(Debug, Default)]
pub struct Ids;

impl Ids {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the generator that everything else is given"
    )]
    pub fn uuid(&self) -> Uuid {
        Uuid::new_v4()
    }

    /// At least 0 and less than 1.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the generator that everything else is given"
    )]
    pub fn fraction(&self) -> f64 {
        rand::random()
    }

    /// Upper-case letters and digits, as access keys and role ids have.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the generator that everything else is given"
    )]
    pub fn token(&self, length: usize) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        (0..length)
            .map(|_| char::from(ALPHABET[usize::from(rand::random::<u8>() % 32)]))
            .collect()
    }
}
