//! All operations that the API's description names.

use std::time::Duration;

use axum::http::StatusCode;
use axum::middleware::from_fn;
use tower_http::timeout::TimeoutLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::patience::end_at_a_stop;
use super::state::AppState;
use super::{health, metrics, pages, sign_in, v1};

const TIMEOUT: Duration = Duration::from_secs(15);
/// Operations that wait for a customer's account, at a pace that leaves the customer's own software its share.
const PATIENT_TIMEOUT: Duration = Duration::from_secs(120);

pub(super) fn described() -> OpenApiRouter<AppState> {
    let prompt = OpenApiRouter::new()
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
        .routes(routes!(pages::customer_template))
        .routes(routes!(pages::fallback_template))
        .merge(sign_in::routes())
        .merge(v1::prompt())
        .layer(within(TIMEOUT));
    let patient = v1::patient()
        .layer(within(PATIENT_TIMEOUT))
        .layer(from_fn(end_at_a_stop));
    prompt.merge(patient)
}

/// Ends what takes longer to begin its answer.
#[must_use]
pub fn within(timeout: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, timeout)
}
