//! Version 1: what the control plane publishes, and what the limiter records per attempt.
//!
//! Phone numbers and the external id never show in `Debug`.

mod published;
mod recorded;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer};

pub use crate::policy::Mode;
pub use published::{Listed, ListedNumber, RuntimeAccess, Snapshot, Status};
pub use recorded::{DecisionRecord, DeferredNotice, NoticeStatus, Outcome, RuleRecord, StopStatus};

pub const SCHEMA: u32 = 1;

fn schema<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let schema = u32::deserialize(deserializer)?;
    if schema == SCHEMA {
        Ok(schema)
    } else {
        Err(D::Error::invalid_value(
            Unexpected::Unsigned(schema.into()),
            &"schema 1",
        ))
    }
}

fn is_false(value: &bool) -> bool {
    !*value
}

fn yes() -> bool {
    true
}

fn is_true(value: &bool) -> bool {
    *value
}
