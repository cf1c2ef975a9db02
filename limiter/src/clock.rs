//! The limiter's only source of the time of day.

use jiff::Timestamp;

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the limiter asks the system for the time"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
