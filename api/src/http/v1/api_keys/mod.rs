//! A tenant's keys.

mod create;
mod list;
mod revoke;
mod rotate;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(in crate::http) use create::RoleBody;
pub(super) use create::{MadeApiKey, NewApiKeyBody, ROLES, make};

use crate::http::state::AppState;

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(revoke::revoke))
        .routes(routes!(rotate::rotate))
}
