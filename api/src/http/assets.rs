//! The dashboard: static files, and its page for every address that a browser goes to and that is not the API's.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::RustEmbed;

use super::problem::ApiError;

#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Dashboard;

const PAGE: &str = "index.html";
const DOCS_PAGE: &str = "docs.html";
/// The component library writes style elements; nothing else is relaxed.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'",
);
/// Names under `assets/` carry a hash of the content.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
const OURS: [&str; 3] = ["auth", "docs", "templates"];

pub(super) async fn fallback(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if is_ours(path) || !matches!(method, Method::GET | Method::HEAD) {
        return ApiError::not_found().into_response();
    }
    if !path.is_empty() && path != PAGE {
        if let Some(file) = Dashboard::get(path) {
            let cache = if path.starts_with("assets/") {
                FOREVER
            } else {
                ASK_AGAIN
            };
            return answer(file.metadata.mimetype(), cache, file.data);
        }
        // A missing file must not come back as a page, or a browser would try to run it.
        if path
            .rsplit('/')
            .next()
            .is_some_and(|name| name.contains('.'))
        {
            return ApiError::not_found().into_response();
        }
        // Which places the dashboard has, it knows itself. A program that mistook an address must not take the page for an
        // answer.
        if !wants_a_page(&headers) {
            return ApiError::not_found().into_response();
        }
    }
    page(PAGE)
}

/// Whether the first part of the path belongs to the program, or is a version of the API, which may be none that there is.
fn is_ours(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    let version = first.strip_prefix('v').unwrap_or_default();
    let is_version = !version.is_empty() && version.bytes().all(|digit| digit.is_ascii_digit());
    is_version || OURS.contains(&first)
}

/// Whether a browser goes there: it says so, where programs take anything.
fn wants_a_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let mut types = accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    types.any(|one| {
        let media_type = one.split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case("text/html")
    })
}

/// The API's description, to be read and tried in a browser.
pub(super) async fn docs() -> Response {
    page(DOCS_PAGE)
}

fn page(name: &str) -> Response {
    match Dashboard::get(name) {
        Some(page) => answer("text/html; charset=utf-8", ASK_AGAIN, page.data),
        None => (
            StatusCode::OK,
            Html("<!doctype html><title>Ringfence</title><p>The dashboard is not part of this build. The API is under /v1, its description at /openapi.json.</p>"),
        )
            .into_response(),
    }
}

fn answer(media_type: &str, cache: HeaderValue, data: Cow<'static, [u8]>) -> Response {
    let media_type = HeaderValue::from_str(media_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
    ];
    (headers, data.into_owned()).into_response()
}
