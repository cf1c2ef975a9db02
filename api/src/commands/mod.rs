//! What each command does. Here clock, generator, clients and pool are made, once.

mod base;
mod once;
mod run;

use std::net::SocketAddr;

use ringfence_api::auth::ProviderError;
use ringfence_api::background::WorkerPanicked;
use ringfence_api::config::{ConfigError, DRAIN_SECONDS_MAX};
use ringfence_api::http::LET_GO_WITHIN;
use ringfence_api::outbound::OutboundError;
use ringfence_api::store::StoreError;

pub use once::{config_check, migrate, openapi, token};
pub use run::{serve, work};

/// How long requests and steps in hand may take after a signal.
const GRACE: std::time::Duration = std::time::Duration::from_secs(25);
const _: () = assert!(DRAIN_SECONDS_MAX + LET_GO_WITHIN.as_secs() < GRACE.as_secs());

#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Workers(#[from] WorkerPanicked),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{}", chain(.0))]
    Store(#[from] StoreError),
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("no HTTP client can be made: {0}")]
    Provider(#[from] ProviderError),
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    #[error("{0} makes no address for customers ({1}): set RINGFENCE_PUBLIC_URL")]
    PublicUrl(SocketAddr, url::ParseError),
    #[error("input or output failed: {0}")]
    Io(#[from] std::io::Error),
    #[error("metrics cannot be kept: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    #[error(
        "the login of DATABASE_URL could evade row security: give `serve` and `work` a login of their own that owns \
         nothing and does not inherit (create role … login noinherit), or set RINGFENCE_ANY_DATABASE_LOGIN=true"
    )]
    LoginTooStrong,
    #[error("no randomness: {0}")]
    Randomness(String),
    #[error("{0} variables are set that mean nothing here")]
    UnknownSettings(usize),
    #[error("work in hand did not end within {} s", GRACE.as_secs())]
    Unfinished,
}

fn chain(err: &StoreError) -> String {
    let mut text = err.to_string();
    let mut source = std::error::Error::source(err);
    while let Some(err) = source {
        text.push_str(": ");
        text.push_str(&err.to_string());
        source = err.source();
    }
    text
}
