//! Policies: a tenant's default, and an instance's own in its place. Every version stays as it was put; limiters get the
//! newest from the publisher.

mod body;
mod default;
mod diff;
mod document;
mod next;
mod own;
mod presets;
mod replay;
mod roll_back;
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
        .routes(routes!(diff::default))
        .routes(routes!(diff::own))
        .routes(routes!(roll_back::default))
        .routes(routes!(roll_back::own))
        .routes(routes!(validate::validate))
        .routes(routes!(presets::list))
}

/// Operations that take as long as their period is.
pub(in crate::http) fn patient_routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(replay::run))
}
