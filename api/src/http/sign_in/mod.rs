//! Signing in and out, for people's browsers. The two addresses below `/auth` are gone to, not called: whatever goes
//! wrong with a sign-in ends on the dashboard's sign-in page, which says it in words. Where nobody can sign in at all,
//! they are not there.

mod begin;
mod callback;
mod end;
mod options;
mod told;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::AppState;

/// Where the identity provider sends people back to.
pub const CALLBACK: &str = "/auth/callback";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(begin::begin))
        .routes(routes!(callback::callback))
        .routes(routes!(options::options))
        .routes(routes!(end::end))
}

/// Why a sign-in did not come to its end, as the dashboard's page reads it.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// The user or the provider said no.
    Denied,
    /// Begun in another browser, or too long ago.
    Expired,
    /// The provider, or our own database, cannot be reached.
    Unavailable,
    /// The provider's answer was not accepted.
    Refused,
}

impl Fault {
    fn place(self) -> &'static str {
        match self {
            Self::Denied => "/?sign_in=denied",
            Self::Expired => "/?sign_in=expired",
            Self::Unavailable => "/?sign_in=unavailable",
            Self::Refused => "/?sign_in=refused",
        }
    }
}

/// Sends the browser on. What is asked for there is asked with GET, whatever was asked here.
fn to(place: &str, cookies: impl IntoIterator<Item = Option<HeaderValue>>) -> Response {
    let mut headers = HeaderMap::new();
    let mut put = |name: HeaderName, value| headers.append(name, value);
    for cookie in cookies.into_iter().flatten() {
        put(header::SET_COOKIE, cookie);
    }
    if let Ok(place) = HeaderValue::from_str(place) {
        put(header::LOCATION, place);
    }
    (StatusCode::SEE_OTHER, headers).into_response()
}
