//! The real programs together: `ringfence`, `bootstrap`, `ringfence-sim`, PostgreSQL. Seen from outside only: the REST
//! API, the AWS side, a browser.

mod at_once;
mod aws_clients;
mod bad_events;
mod browser;
mod connections;
mod database;
mod harness;
mod leftovers;
mod lists;
mod notices;
mod onboarding;
mod permissions;
mod removal;
mod resilience;
mod webhooks;
