//! A double of the AWS side, and the parent of everything that runs on a developer's machine.

pub mod dev;
