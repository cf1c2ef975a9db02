//! A tenant's keys.

mod create;
mod list;
mod revoke;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use create::{MadeApiKey, NewApiKeyBody, make};

use crate::http::state::AppState;

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(revoke::revoke))
}
