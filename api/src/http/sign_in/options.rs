//! How one can sign in here.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::cookies::Cookie;
use crate::http::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct SignInOptions {
    /// Whether people sign in with the operator's identity provider, at `/auth/sign-in`. Keys always work.
    identity_provider: bool,
    /// Whether this browser has a session cookie; whether it still holds, `/v1/me` tells.
    signed_in: bool,
}

/// How one can sign in
#[utoipa::path(
    get, path = "/v1/sign-in-options", operation_id = "sign_in_options", tag = "session", security(()),
    responses((status = 200, body = SignInOptions))
)]
pub(in crate::http) async fn options(
    State(app): State<AppState>,
    headers: HeaderMap,
) -> Json<SignInOptions> {
    Json(SignInOptions {
        identity_provider: app.oidc.is_some(),
        signed_in: Cookie::Session.read(&headers, &app.public_url).is_some(),
    })
}
