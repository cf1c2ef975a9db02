//! What Prometheus reads: on an address of its own without a key, where the settings give one; and among the API's
//! routes, for operators. `ringfence work` has the former only.

use std::future::Future;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use tokio::net::TcpListener;

use super::caller::Operator;
use super::problem::ApiResult;
use super::serve::serve;
use super::watched::Watched;

/// Counters and gauges in Prometheus' text format
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "service",
    security(("bearer" = [Operator::NAME])),
    responses((
        status = 200, body = String, content_type = "text/plain",
        example = json!("# TYPE ringfence_installations gauge\nringfence_installations{state=\"installed\"} 5\n"),
    ))
)]
pub(super) async fn metrics(operator: Operator) -> ApiResult<Response> {
    Ok(operator.app.watched.answer().await)
}

/// Serves metrics and health on an address that only the operator's own monitoring reaches.
pub async fn serve_metrics(
    listener: TcpListener,
    watched: Watched,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let routes = Router::new()
        .route(
            "/metrics",
            get(async |State(watched): State<Watched>| watched.answer().await),
        )
        .route("/healthz", get(async || "ok\n"))
        .route(
            "/readyz",
            get(async |State(watched): State<Watched>| {
                if watched.is_ready().await {
                    (StatusCode::OK, "ok\n")
                } else {
                    (
                        StatusCode::SERVICE_UNAVAILABLE,
                        "the database is not ready\n",
                    )
                }
            }),
        )
        .with_state(watched);
    serve(listener, routes, stop).await;
}
