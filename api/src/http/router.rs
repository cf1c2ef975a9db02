//! Everything that is served, and the layers round it, outermost last.

use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::routing::get;
use axum::{Extension, Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use super::border::{border, panicked};
use super::once::note_key;
use super::routes::described;
use super::state::AppState;
use super::unreadable::refuse;
use super::{assets, openapi, pages};

const BODY_BYTES_MAX: usize = 256 * 1024;

/// Everything that is served.
pub fn router(app: AppState) -> Router {
    let (routes, _) = described().split_for_parts();
    let description = Bytes::from(openapi::text());
    let routes = routes
        .route(
            "/openapi.json",
            get(async move || ([(header::CONTENT_TYPE, "application/json")], description)),
        )
        .route("/docs", get(assets::docs))
        .route("/docs/errors/{code}", get(pages::error))
        .fallback(assets::fallback);
    layered(routes, app)
}

/// The layers round all routes.
pub fn layered(routes: Router<AppState>, app: AppState) -> Router {
    routes
        .layer(middleware::from_fn(note_key))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(refuse))
        .layer(Extension(app.draining.clone()))
        .layer(middleware::from_fn_with_state(app.clone(), border))
        .layer(CompressionLayer::new())
        .with_state(app)
}
