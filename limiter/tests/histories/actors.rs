//! The processes that decide: limiters in this process, or this program started again as a child that can be killed.

use std::sync::Arc;
use std::time::Duration;

use ringfence_limiter::adapters::Aws;
use ringfence_limiter::{Limiter, Settings};
use serde_json::Value;

use crate::child::Child;
use crate::clock::{self, GivenClock};
use crate::confession;
use crate::names::told;
use crate::sdk::sdk_config;

/// As long as a flow waits.
const INVOCATION: Duration = Duration::from_secs(8);

pub enum Actor {
    Here(Box<Limiter>),
    There(Box<Child>),
}

/// An answer, and whether the limiter said in its log that something went wrong for this contact.
pub struct Told {
    pub answer: Value,
    pub admits_failure: bool,
}

impl Actor {
    pub fn here(endpoint: &str) -> Arc<Self> {
        Arc::new(Self::Here(Box::new(limiter(endpoint))))
    }

    pub fn there(endpoint: &str) -> Arc<Self> {
        Arc::new(Self::There(Box::new(Child::new(endpoint))))
    }

    /// Nothing where the process is killed meanwhile.
    pub async fn deliver(&self, event: Value, contact_id: &str, clock_ms: i64) -> Option<Told> {
        match self {
            Self::Here(limiter) => Some(invoke(limiter, event, contact_id, clock_ms).await),
            Self::There(child) => child.deliver(event, contact_id, clock_ms).await,
        }
    }

    /// Whether there was a process to kill. A limiter in this process has only its invocation to lose, which whoever waits
    /// for it drops.
    pub async fn kill(&self) -> bool {
        match self {
            Self::There(child) => child.kill().await,
            Self::Here(_) => false,
        }
    }
}

/// Deadlines are generous, because a busy machine is no part of what histories are about.
pub fn limiter(endpoint: &str) -> Limiter {
    let settings = Settings {
        decision_deadline: Duration::from_secs(6),
        ..Settings::default()
    };
    Limiter::new(
        settings,
        Aws::new(sdk_config(endpoint)),
        Arc::new(GivenClock::default()),
    )
}

pub async fn invoke(limiter: &Limiter, event: Value, contact_id: &str, clock_ms: i64) -> Told {
    let answer = clock::at(clock_ms, limiter.handle(event, INVOCATION)).await;
    Told {
        answer: told(&answer.unwrap()),
        admits_failure: confession::heard_of(contact_id),
    }
}
