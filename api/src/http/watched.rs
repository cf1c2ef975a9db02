//! What is told of the process and of the service behind it.
//!
//! Failure: with the database away the process's own figures are told all the same, and that it is away.

use axum::http::header;
use axum::response::{IntoResponse, Response};

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
    pub(super) async fn answer(&self) -> Response {
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

    pub(super) async fn is_ready(&self) -> bool {
        matches!(
            self.store.fitness(self.any_database_login).await,
            Ok(Fitness::Fit)
        )
    }
}
