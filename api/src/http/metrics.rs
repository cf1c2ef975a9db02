//! What Prometheus reads: on an address of its own without a key, where the settings give one; and among the API's
//! routes, for operators. `ringfence work` has the former only.
//!
//! Failure: with the database away the process's own figures are told all the same, and that it is away.

use std::future::Future;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::caller::Operator;
use super::problem::ApiResult;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::store::{Backlog, Fitness, Store, StoreError};

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the answers are made from.
#[derive(Debug, Clone)]
pub struct Watched {
    pub metrics: Metrics,
    pub store: Store,
    pub clock: Clock,
    pub any_database_login: bool,
}

impl Watched {
    async fn answer(&self) -> Response {
        let backlog = self.backlog().await;
        if let Err(err) = &backlog {
            tracing::warn!(error = %err, "metrics without the database's");
        }
        let text = self
            .metrics
            .text(backlog.ok().as_ref(), self.store.pool_use());
        ([(header::CONTENT_TYPE, TEXT)], text).into_response()
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let mut tx = self
            .store
            .system("operators watch the whole service")
            .await?;
        let backlog = tx.backlog(self.clock.now()).await?;
        tx.commit().await?;
        Ok(backlog)
    }

    async fn is_ready(&self) -> bool {
        matches!(
            self.store.fitness(self.any_database_login).await,
            Ok(Fitness::Fit)
        )
    }
}

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
) -> std::io::Result<()> {
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
    axum::serve(
        listener,
        routes.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(stop)
    .await
}
