//! Operations that may take longer than a process that is being stopped goes on: their callers get an answer before their
//! connections are dropped.

use std::time::Duration;

use axum::Extension;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio_util::sync::CancellationToken;

use super::problem::{ApiError, Code};
use super::serve::LET_GO_WITHIN;

/// After the stop.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
const _: () = assert!(ENDS_WITHIN.as_secs() < LET_GO_WITHIN.as_secs());

pub(super) async fn end_at_a_stop(
    Extension(stop): Extension<CancellationToken>,
    request: Request,
    next: Next,
) -> Response {
    let stopped = async {
        stop.cancelled().await;
        tokio::time::sleep(ENDS_WITHIN).await;
    };
    unless(stopped, next.run(request)).await
}

/// What was done so far stays, as where an operation runs out of time.
async fn unless(
    stopped: impl Future<Output = ()>,
    answer: impl Future<Output = Response>,
) -> Response {
    tokio::select! {
        answer = answer => answer,
        () = stopped => {
            let detail = "this process is being stopped; ask again, and another one answers";
            ApiError::new(Code::ServiceUnavailable, detail).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use axum::http::StatusCode;

    use super::*;

    #[tokio::test]
    async fn what_takes_long_ends_with_an_answer_where_the_process_is_stopped() {
        let ended = unless(ready(()), pending()).await;
        let problem = ended.extensions().get::<ApiError>().expect("a problem");
        assert_eq!(problem.code(), Code::ServiceUnavailable);
        let answered = unless(pending(), ready(StatusCode::OK.into_response())).await;
        assert_eq!(answered.status(), StatusCode::OK);
    }
}
