//! The Lambda Runtime API as one process sees it, on a loopback port of its own.
//!
//! It only passes on: what a request means is decided by the [`super::environment::Environment`] at the other end of
//! the channel. When that is gone, every request is answered with 410 and the process is about to be killed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Lambda's limit on a synchronous answer.
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// What a runtime did.
#[derive(Debug)]
pub enum Signal {
    Next(oneshot::Sender<Event>),
    Answer(Answer),
    InitError(Bytes),
}

/// An answer, or an error that the function reported.
#[derive(Debug)]
pub struct Answer {
    pub request_id: String,
    pub body: Bytes,
    pub error: bool,
}

/// The event a runtime is given.
#[derive(Debug)]
pub struct Event {
    pub request_id: String,
    pub function_arn: String,
    pub payload: Bytes,
    pub limit: Duration,
}

#[derive(Clone)]
struct Api {
    signals: mpsc::UnboundedSender<Signal>,
    current: Arc<Mutex<Option<String>>>,
}

/// Serves one process until the handle is aborted.
pub fn serve(listener: TcpListener, signals: mpsc::UnboundedSender<Signal>) -> JoinHandle<()> {
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route(
            "/2018-06-01/runtime/invocation/{request_id}/response",
            post(response),
        )
        .route(
            "/2018-06-01/runtime/invocation/{request_id}/error",
            post(error),
        )
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .layer(DefaultBodyLimit::max(MAX_ANSWER_BYTES))
        .with_state(Api {
            signals,
            current: Arc::default(),
        });
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::debug!(%error, "Runtime API ended");
        }
    })
}

async fn next(State(api): State<Api>) -> Response {
    let (reply, event) = oneshot::channel();
    if api.signals.send(Signal::Next(reply)).is_err() {
        return StatusCode::GONE.into_response();
    }
    let Ok(event) = event.await else {
        return StatusCode::GONE.into_response();
    };
    *api.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(event.request_id.clone());
    let headers = [
        ("lambda-runtime-aws-request-id", event.request_id.clone()),
        (
            "lambda-runtime-deadline-ms",
            deadline_ms(event.limit).to_string(),
        ),
        ("lambda-runtime-invoked-function-arn", event.function_arn),
        ("lambda-runtime-trace-id", trace_id(&event.request_id)),
        ("content-type", "application/json".to_owned()),
    ];
    let headers: HeaderMap = headers
        .into_iter()
        .filter_map(|(name, value)| Some((name.parse().ok()?, HeaderValue::from_str(&value).ok()?)))
        .collect();
    (headers, event.payload).into_response()
}

async fn response(State(api): State<Api>, Path(request_id): Path<String>, body: Bytes) -> Response {
    answer(&api, request_id, body, false)
}

async fn error(State(api): State<Api>, Path(request_id): Path<String>, body: Bytes) -> Response {
    answer(&api, request_id, body, true)
}

async fn init_error(State(api): State<Api>, body: Bytes) -> Response {
    accepted(&api, Signal::InitError(body))
}

fn answer(api: &Api, request_id: String, body: Bytes, error: bool) -> Response {
    let mut current = api.current.lock().unwrap_or_else(PoisonError::into_inner);
    if current.as_ref() != Some(&request_id) {
        let problem =
            json!({"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"});
        return (StatusCode::BAD_REQUEST, Json(problem)).into_response();
    }
    *current = None;
    accepted(
        api,
        Signal::Answer(Answer {
            request_id,
            body,
            error,
        }),
    )
}

fn accepted(api: &Api, signal: Signal) -> Response {
    match api.signals.send(signal) {
        Ok(()) => (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response(),
        Err(_) => StatusCode::GONE.into_response(),
    }
}

/// The process compares this with the machine's clock, so it cannot come from the simulator's.
#[expect(
    clippy::disallowed_methods,
    reason = "the function's process reads the machine's clock"
)]
fn deadline_ms(limit: Duration) -> u128 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    (now + limit).as_millis()
}

fn trace_id(request_id: &str) -> String {
    let digits: String = request_id.chars().filter(char::is_ascii_hexdigit).collect();
    let (first, rest) = digits.split_at(digits.len().min(8));
    format!("Root=1-{first}-{rest:0<24.24};Parent={rest:0<16.16};Sampled=0")
}
