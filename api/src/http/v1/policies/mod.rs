//! Policies: a tenant's default, and an instance's own in its place. Every version stays as it was put; limiters get the
//! newest from the publisher.

mod body;
mod default;
mod document;
mod own;
mod rule;
mod validate;
mod versions;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::state::AppState;

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(default::get, default::put))
        .routes(routes!(versions::default_list))
        .routes(routes!(versions::default_get))
        .routes(routes!(own::get, own::put, own::remove))
        .routes(routes!(versions::own_list))
        .routes(routes!(versions::own_get))
        .routes(routes!(validate::validate))
}
