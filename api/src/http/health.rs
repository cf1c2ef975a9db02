//! Is the process alive; can it answer.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::{ApiError, ApiResult, Code};
use super::state::AppState;
use crate::store::Fitness;

/// Whoever is not fit answers with an error instead.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ServiceStatus {
    Ok,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ServiceState {
    status: ServiceStatus,
}

/// Whether the process runs
#[utoipa::path(get, path = "/healthz", tag = "service", security(()), responses((status = 200, body = ServiceState)))]
pub(super) async fn healthz() -> Json<ServiceState> {
    Json(ServiceState {
        status: ServiceStatus::Ok,
    })
}

/// Whether it can answer: the database is there, its schema is this program's, and the login is confined
#[utoipa::path(get, path = "/readyz", tag = "service", security(()), extensions(("x-errors" = json!(["service_unavailable"]))), responses((status = 200, body = ServiceState)))]
pub(super) async fn readyz(State(app): State<AppState>) -> ApiResult<Json<ServiceState>> {
    if app.draining.is_cancelled() {
        return Err(ApiError::new(
            Code::ServiceUnavailable,
            "this process is about to stop",
        ));
    }
    let unfit = match app.store.fitness(app.settings.any_database_login).await? {
        Fitness::Fit => {
            return Ok(Json(ServiceState {
                status: ServiceStatus::Ok,
            }));
        }
        Fitness::SchemaTooOld => "the database's schema is older than this program",
        Fitness::RolesNotGranted => "the database login may not take the roles it needs",
        Fitness::LoginTooStrong => "the database login could evade row security",
    };
    Err(ApiError::new(Code::ServiceUnavailable, unfit))
}
