//! The parent of everything that runs on a developer's machine: a private PostgreSQL, the whole stack, the demo.
//!
//! It starts the real binaries as children and ends them, however it ends itself: on Ctrl-C, on SIGTERM, on a failure
//! half-way, and (where `setpriv` is to be had) even when it is killed. What it writes to disk stands in one folder per
//! run, below `target/` where the database may live there, and is removed at the end.
//!
//! It knows Ringfence only from outside: its REST API, its command line, its environment. A failure is told with what
//! was being done, and with the last lines that the failing child wrote.

pub mod aws;
pub mod chaos;
pub mod customer;
pub mod demo;
pub mod error;
mod ground;
mod own_instance;
pub mod places;
pub mod postgres;
pub mod process;
pub mod rest;
pub mod signals;
pub mod sim;
pub mod stack;
pub mod tables;
pub mod wait;

pub use error::{DevError, Result};
