//! Connections: a tenant's AWS accounts, how well their roles work, and changing their external ids.

mod body;
mod get;
mod list;
mod onboarding;
mod rotate_external_id;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::clock::IdSource;
use crate::http::state::AppState;

pub(super) use onboarding::Onboarding;

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(get::get))
        .routes(routes!(rotate_external_id::rotate))
}

/// One that nobody can guess.
pub(super) fn new_external_id(ids: &IdSource) -> String {
    let digits: String = ids
        .secret()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("ringfence-{digits}")
}
