//! What is kept of a customer's number: letting what is counted for it begin anew, and erasing all of it.

mod erase;
mod erasure;
mod reason;
mod reset;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::state::AppState;

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(erase::erase))
        .routes(routes!(erasure::get))
}

/// It asks the limiters' tables.
pub(in crate::http) fn patient_routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(reset::reset))
}
