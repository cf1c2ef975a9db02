//! Decisions counted: over time, and by what they have in common.

mod period;
mod series;
mod top;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::state::AppState;

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(series::series))
        .routes(routes!(top::top))
}
