//! Connect, its calls and Lambda, over the protocols that AWS clients speak.

mod calls;
mod lambda;
mod official_client;
mod operations;
mod rights;
mod stage;
mod support;
