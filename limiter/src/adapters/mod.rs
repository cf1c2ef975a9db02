//! Everything that speaks to AWS: timeouts, retries and the meaning of errors are settled here.
//!
//! Failure: a [`Failure`] carries a code, never a message, because messages may repeat what was sent.

mod backoff;
mod clients;
mod contacts;
mod decisions;
mod failure;
mod http;
mod meters;
mod policies;
mod runtime_role;

pub use clients::Aws;
pub(crate) use contacts::{Contacts, Started, Stopped, Task};
pub(crate) use decisions::{DecisionTable, Intent, Standing};
pub use failure::Failure;
pub(crate) use meters::{AsStored, COMPACTED_AT_ONCE, MeterTable, StoredLog};
pub(crate) use policies::PolicyTable;
