//! Limiter functions and the instances that move between them, for the operator.

mod body;
mod list;
mod moves;
mod update;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::state::AppState;

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(update::update))
        .routes(routes!(moves::list, moves::begin))
}
