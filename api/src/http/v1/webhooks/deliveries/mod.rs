//! What was sent to a webhook, and what came of it.

mod body;
mod get;
mod list;
mod resend;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use body::{DeliveryBody, must_be_enabled};

use crate::http::state::AppState;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(get::get))
        .routes(routes!(resend::resend))
}
