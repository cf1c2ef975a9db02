//! The types between HTTP, store and AWS: no I/O, no serde, no SQL.

pub mod audit_chain;
pub mod coverage;
pub mod drift;
pub mod fallback;
pub mod identity;
pub mod ids;
pub mod installation;
pub mod instance_arn;
pub mod listed_number;
pub mod number_erasure;
pub mod origin;
pub mod pace;
pub mod phone;
pub mod precondition;
pub mod quota;
pub mod rate;
pub mod role;
pub mod tenant;
pub mod webhook;
mod words;
