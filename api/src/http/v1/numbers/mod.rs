//! Exemptions and blocks: two lists of numbers of one shape.

mod add;
mod body;
mod get;
mod import;
mod list;
mod operations;
mod remove;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::listed_number::List;
use crate::http::state::AppState;
use operations::{blocks, exemptions};

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    let imports = OpenApiRouter::new()
        .routes(routes!(exemptions::import))
        .routes(routes!(blocks::import))
        .layer(DefaultBodyLimit::max(import::BYTES_MAX));
    OpenApiRouter::new()
        .routes(routes!(exemptions::create, exemptions::list))
        .routes(routes!(exemptions::get, exemptions::remove))
        .routes(routes!(blocks::create, blocks::list))
        .routes(routes!(blocks::get, blocks::remove))
        .merge(imports)
}

/// How the audit log names what happened.
fn action(list: List, exemption: &'static str, block: &'static str) -> &'static str {
    match list {
        List::Exemption => exemption,
        List::Block => block,
    }
}
