//! Everything that speaks to AWS: timeouts, retries and the meaning of errors are settled here.
//!
//! Failure: a [`Failure`] carries a code, never a message, because messages may repeat what was sent.

mod backoff;
mod changes;
mod clients;
mod contacts;
mod decisions;
mod environment;
mod failure;
mod http;
mod listings;
mod meters;
mod policies;
mod runtime_role;
mod stores;

pub(crate) use changes::{COMPACTED_AT_ONCE, Places};
pub use clients::Aws;
pub(crate) use contacts::{Contacts, Started, Stopped, Task};
pub(crate) use decisions::{DecisionTable, Intent, Standing};
pub use failure::Failure;
pub(crate) use listings::ListingTable;
pub(crate) use meters::{AsStored, Meter, MeterTable, StoredLog};
pub(crate) use policies::PolicyTable;
pub(crate) use stores::Stores;
