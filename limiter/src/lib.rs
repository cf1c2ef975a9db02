//! The limiter: what an outbound whisper flow asks before it dials.
//!
//! [`Limiter::handle`] turns one Connect event into one answer. Invariants: the tenant is known by the instance ARN that
//! Connect fills in, by nothing else; every failure but a malformed event ends in an answer with a reason, within the
//! deadline; no phone number leaves in a log line or an error.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod adapters;
pub mod answer;
mod case;
pub mod clock;
pub mod config;
mod counting;
mod deciding;
mod denial;
pub mod event;
mod guard;
pub mod handler;
mod metrics;
mod notice;
pub mod number;
mod policies;
mod record;
mod records;
mod telemetry;

pub use answer::Answer;
pub use clock::{Clock, SystemClock};
pub use config::Settings;
pub use event::EventError;
pub use handler::Limiter;
