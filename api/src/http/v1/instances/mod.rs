//! Amazon Connect instances: registering, proving, looking at, deleting.

mod body;
mod coverage;
mod delete;
mod get;
mod list;
mod queues;
mod register;
mod verify;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::state::AppState;

pub(super) use body::Health;

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(register::register, list::list))
        .routes(routes!(get::get))
        .routes(routes!(coverage::get))
        .routes(routes!(coverage::refresh))
}

/// Those that ask the customer's account, or may have much to delete.
pub(in crate::http) fn patient_routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(verify::verify))
        .routes(routes!(queues::list))
        .routes(routes!(delete::delete))
}
