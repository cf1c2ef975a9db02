//! What the limiters decided, as it came back from them.

mod body;
mod csv;
mod export;
mod filter;
mod get;
mod list;
mod live;

pub(super) use body::{DecisionMode, DecisionOutcome};
pub(super) use filter::{instance, outcome, time};

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::state::AppState;

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(export::export))
        .routes(routes!(live::live))
        .routes(routes!(get::get))
}
