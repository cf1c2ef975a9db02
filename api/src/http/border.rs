//! The outermost layer: gives each request its id, writes the body of every error, sets the headers that all answers
//! have, and logs one line per request.

use std::any::Any;
use std::time::Instant;

use axum::Json;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use opentelemetry::propagation::Extractor;
use tracing::Instrument as _;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::problem::{ApiError, Code};
use super::rate::RateNote;
use super::state::AppState;
use crate::domain::ids::RequestId;
use crate::metrics;

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// No other site may read, frame or open anything here; no answer is taken for another type than it says.
const ON_EVERY_ANSWER: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];
/// Browsers are to come back encrypted, whatever they are told.
const ONE_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// For answers that are no pages of the dashboard.
const CLOSED_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

pub(super) async fn border(
    State(app): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = RequestId(app.ids.uuid());
    let started = Instant::now();
    let method = request.method().clone();
    let parent = traced_from(request.headers());
    // The pattern, not the path: what stands in the path may not belong into a log.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "-".to_owned(), |path| path.as_str().to_owned());
    request.extensions_mut().insert(id);
    let note = RateNote::default();
    request.extensions_mut().insert(note.clone());
    let span = tracing::info_span!(
        "request", otel.name = format!("{method} {route}"), otel.kind = "server", request_id = %id,
        http.request.method = %method, http.route = route, http.response.status_code = tracing::field::Empty,
    );
    // Without a collector there is no context to belong to.
    let _ = span.set_parent(parent);
    let mut response = next.run(request).instrument(span.clone()).await;
    let cause = match refusal(&response) {
        Some(err) => {
            let cause = err.cause().map(str::to_owned);
            response = write(response, err, id);
            cause
        }
        None => None,
    };
    finish_headers(&mut response, id, app.public_url.scheme() == "https");
    note.write(response.headers_mut());
    if app.draining.is_cancelled() {
        // The next request of this connection is to go elsewhere.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    let status = response.status().as_u16();
    span.record("http.response.status_code", status);
    let took = started.elapsed();
    metrics::request(word(&method), &route, status, took);
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if let Some(cause) = cause {
        tracing::error!(request_id = %id, %method, route, status, duration_ms, cause, "request failed");
    } else {
        tracing::info!(request_id = %id, %method, route, status, duration_ms, "request");
    }
    response
}

/// The caller's own trace, where it sent one (W3C Trace Context).
fn traced_from(headers: &HeaderMap) -> opentelemetry::Context {
    let carrier = Headers(headers);
    opentelemetry::global::get_text_map_propagator(|propagator| propagator.extract(&carrier))
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// Methods that anybody may invent must not make new time series.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// What went wrong, by a handler's own word or by the framework's status.
fn refusal(response: &Response) -> Option<ApiError> {
    if let Some(err) = response.extensions().get::<ApiError>() {
        return Some(err.clone());
    }
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    Some(match status {
        StatusCode::NOT_FOUND => ApiError::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => ApiError::new(
            Code::MethodNotAllowed,
            "the header Allow lists the methods that there are",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::new(Code::PayloadTooLarge, "the body may have 256 KiB")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ApiError::new(Code::UnsupportedMediaType, "send application/json")
        }
        StatusCode::GATEWAY_TIMEOUT => {
            ApiError::new(Code::Timeout, "the operation did not finish in time")
        }
        status if status.is_client_error() => {
            ApiError::new(Code::MalformedRequest, "the request could not be read")
        }
        status => ApiError::internal(format!("answered {status} without saying why")),
    })
}

/// Keeps the headers that came with the refusal, such as `Allow`.
fn write(response: Response, err: ApiError, id: RequestId) -> Response {
    let status = err.code().status();
    let mut kept = response.into_parts().0.headers;
    for name in [
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::CONTENT_ENCODING,
    ] {
        kept.remove(name);
    }
    let mut written = (status, Json(err.into_problem(id.to_string()))).into_response();
    written.headers_mut().extend(kept);
    written.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    written
}

fn finish_headers(response: &mut Response, id: RequestId, is_behind_tls: bool) {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(X_REQUEST_ID.clone(), value);
    }
    for (name, value) in ON_EVERY_ANSWER {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_behind_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, ONE_YEAR);
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(CLOSED_POLICY);
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

/// For the layer that catches panics.
pub(super) fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response<Body> {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no text".to_owned());
    ApiError::internal(format!("panicked: {text}")).into_response()
}
