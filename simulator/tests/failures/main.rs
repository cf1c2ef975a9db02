//! The failure table of docs/limits.md, row by row: each failure is made to happen to the real limiter program, in a contact
//! centre whose queue plays the flow that Ringfence installs. Seen are the call, the answer, the decision's record, and
//! what the program logged and measured.

mod clocks;
mod events;
mod function;
mod notices;
mod panics;
mod policies;
mod records;
mod stage;
mod stops;
mod store;
