//! What would become of a call, and what stands against a number: looked up, with nothing left behind.

mod create;
mod number;
mod place;
mod rules;

pub(super) use place::policy_of;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::state::AppState;

/// All of them ask the limiters' tables.
pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create::create))
        .routes(routes!(number::get))
}
