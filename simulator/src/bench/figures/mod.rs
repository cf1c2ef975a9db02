//! The figures, each with how it is got.

mod cost;
mod latency;
mod process;
mod rounds;

pub(super) use cost::write_units;
pub(super) use latency::{against_a_bare_write, hot_caller_id, listed_numbers};
pub(super) use process::{cold_start, processor_and_memory, size, small_function};
pub(super) use rounds::round_trips;
