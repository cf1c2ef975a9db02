//! A double of the AWS side, and the parent of everything that runs on a developer's machine.
//!
//! One HTTP endpoint speaks as AWS does ([`front`]); behind it each service is a module of its own over one shared
//! [`world::World`]. `dev` needs nothing of this: it starts the real programs and talks to them as a customer would.

pub mod aws;
pub mod bench;
pub mod calls;
pub mod clock;
pub mod cloudformation;
pub mod connect;
pub mod control;
pub mod dev;
pub mod dynamodb;
pub mod faults;
pub mod flow;
pub mod front;
pub mod iam;
pub mod lambda;
pub mod log;
pub mod quotas;
pub mod sigv4;
pub mod stage;
pub mod sts;
pub mod world;
