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
mod live_streams;
mod metrics;
mod once;
pub mod openapi;
mod origin;
mod pages;
mod path;
mod patience;
pub mod problem;
mod progressing;
mod query;
mod quota;
mod rate;
mod refusing;
mod router;
mod routes;
mod serve;
mod sign_in;
mod standing;
mod state;
mod turns;
mod unreadable;
mod v1;
mod watched;

pub use live_streams::LiveStreams;
pub use metrics::serve_metrics;
pub use problem::{ApiError, Code};
pub use rate::Buckets;
pub use router::{layered, router};
pub use routes::within;
pub use serve::{LET_GO_WITHIN, serve};
pub use sign_in::CALLBACK;
pub use state::{AppState, Parts};
pub use turns::Turns;
pub use watched::Watched;
