//! The real programs together: `ringfence`, `bootstrap`, `ringfence-sim`, PostgreSQL. Seen from outside only: the REST
//! API, the AWS side, a browser.

mod at_once;
mod aws_clients;
mod bad_events;
mod browser;
mod connections;
mod coverage;
mod customer_numbers;
mod database;
mod fallback;
mod harness;
mod leftovers;
mod lists;
mod many_queues;
mod merge;
mod moves;
mod names;
mod notices;
mod onboarding;
mod permissions;
mod prefix_filter;
mod removal;
mod resilience;
mod webhooks;
