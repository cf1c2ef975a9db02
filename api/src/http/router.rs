//! All routes, and the layers round them, outermost last.

use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::border::{border, panicked};
use super::once::note_key;
use super::state::AppState;
use super::{assets, health, metrics, openapi, pages, sign_in, v1};

const BODY_BYTES_MAX: usize = 256 * 1024;
const TIMEOUT: Duration = Duration::from_secs(15);
/// Operations that wait for a customer's account, at a pace that leaves the customer's own software its share.
const PATIENT_TIMEOUT: Duration = Duration::from_secs(120);

pub(super) fn described() -> OpenApiRouter<AppState> {
    let prompt = OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
        .routes(routes!(pages::customer_template))
        .routes(routes!(pages::fallback_template))
        .merge(sign_in::routes())
        .merge(v1::prompt())
        .layer(within(TIMEOUT));
    prompt.merge(v1::patient().layer(within(PATIENT_TIMEOUT)))
}

/// Ends what takes longer.
#[must_use]
pub fn within(timeout: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, timeout)
}

/// Everything that is served.
pub fn router(app: AppState) -> Router {
    let (routes, _) = described().split_for_parts();
    let description = openapi::document();
    let routes = routes
        .route(
            "/openapi.json",
            get(move || async move { Json(description) }),
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
        .layer(middleware::from_fn_with_state(app.clone(), border))
        .layer(CompressionLayer::new())
        .with_state(app)
}
