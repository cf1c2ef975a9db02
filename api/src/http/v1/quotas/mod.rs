//! How much a tenant may have of what, and how much it has.

mod body;
mod list;
mod of_tenant;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::state::AppState;

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(of_tenant::get, of_tenant::put))
}
