//! Webhooks: where a tenant wants to be told of events, and what came of telling.

mod body;
mod create;
mod delete;
mod deliveries;
mod get;
mod list;
mod rotate_secret;
mod test;
mod update;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::state::AppState;

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(get::get, update::update, delete::delete))
        .routes(routes!(rotate_secret::rotate_secret))
        .routes(routes!(test::test))
        .merge(deliveries::routes())
}
