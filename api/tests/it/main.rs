//! The API as its callers see it: the real router on a real database, with a clock that stands still.

mod audit_log;
mod audited;
mod authz_coverage;
mod browser;
mod config;
mod constraints;
mod described;
mod event_messages;
mod examples;
mod free_texts;
mod harness;
mod isolation;
mod issuer;
mod openapi;
mod openid;
mod operations;
mod program;
mod routes;
mod rubbish;
mod running;
mod scene;
mod unreadable;
mod upgrades;
mod watching;
