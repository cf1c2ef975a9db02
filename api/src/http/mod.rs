//! Requests in, answers out. The only place that knows HTTP.
//!
//! Everything that goes wrong leaves as an RFC 9457 problem: handlers return [`ApiError`], and [`border`] writes the body
//! for it and for whatever the framework refuses by itself. Permissions stand in the handlers' signatures ([`caller`]).

mod assets;
mod body;
mod border;
mod caller;
mod cookies;
mod cross_site;
mod etag;
mod fields;
mod health;
mod metrics;
mod once;
pub mod openapi;
mod origin;
mod pages;
mod path;
pub mod problem;
mod query;
mod quota;
mod rate;
mod router;
mod sign_in;
mod state;
mod v1;

pub use metrics::{Watched, serve_metrics};
pub use problem::{ApiError, Code};
pub use rate::Buckets;
pub use router::{layered, router, within};
pub use sign_in::CALLBACK;
pub use state::{AppState, Parts};

use std::future::Future;
use std::net::SocketAddr;

use tokio::net::TcpListener;

/// Serves until `stop`, then until the requests in hand are answered.
pub async fn serve(
    listener: TcpListener,
    router: axum::Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(
        listener,
        router.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(stop)
    .await
}
