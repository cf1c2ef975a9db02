//! Who did what in a tenant, or as an operator to none, and whether the record of it is whole.

mod body;
mod export;
mod list;
mod verify;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::state::AppState;

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(list::list_operators))
        .routes(routes!(export::export))
        .routes(routes!(export::export_operators))
        .routes(routes!(verify::verify))
        .routes(routes!(verify::verify_operators))
}
