//! Is the process alive; can it answer.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::{ApiError, ApiResult, Code};
use super::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ServiceState {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the process runs
#[utoipa::path(get, path = "/healthz", tag = "service", security(()), responses((status = 200, body = ServiceState)))]
pub(super) async fn healthz() -> Json<ServiceState> {
    Json(ServiceState { status: "ok" })
}

/// Whether it can answer: the database is there and its schema is this program's
#[utoipa::path(get, path = "/readyz", tag = "service", security(()), responses((status = 200, body = ServiceState)))]
pub(super) async fn readyz(State(app): State<AppState>) -> ApiResult<Json<ServiceState>> {
    if app.draining.is_cancelled() {
        return Err(ApiError::new(
            Code::ServiceUnavailable,
            "this process is about to stop",
        ));
    }
    if app.store.is_migrated().await? {
        Ok(Json(ServiceState { status: "ok" }))
    } else {
        Err(ApiError::new(
            Code::ServiceUnavailable,
            "the database's schema is older than this program",
        ))
    }
}
