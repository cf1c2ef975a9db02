//! Identity providers whose tokens a tenant's programs and people may send. What a token says makes nobody more than the
//! registration allows, and the registration allows no more than whoever made it has.

mod body;
mod create;
mod list;
mod remove;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::state::AppState;

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(remove::remove))
}
