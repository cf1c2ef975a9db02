//! What Ringfence puts into an instance: asked for here, done by the workers.

mod body;
mod delete;
mod get;
mod progress;
mod put;
mod reconcile;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::state::AppState;

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get::get, put::put, delete::delete))
        .routes(routes!(reconcile::reconcile))
}
