//! Sends a browser to the identity provider.

use axum::extract::State;
use axum::response::Response;

use super::{Fault, to};
use crate::auth::oidc::ATTEMPT_LASTS;
use crate::domain::origin::own_place;
use crate::http::cookies::Cookie;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Query;
use crate::http::state::AppState;

/// Go to the identity provider to sign in
///
/// For browsers. `return_to` is a place of the dashboard, as `/decisions`; anything else is taken for `/`.
#[utoipa::path(
    get, path = "/auth/sign-in", operation_id = "sign_in_begin", tag = "session", security(()),
    extensions(("x-errors" = json!(["not_found"]))),
    params((
        "return_to" = Option<String>, Query, example = "/policies",
        description = "Where to go afterwards: a path of this server",
    )),
    responses((status = 303, description = "To the identity provider, or back to the dashboard's sign-in page"))
)]
pub(in crate::http) async fn begin(
    State(app): State<AppState>,
    query: ApiResult<Query>,
) -> ApiResult<Response> {
    let asked = query.ok().and_then(|mut query| query.take("return_to"));
    let asked = asked.unwrap_or_default();
    let oidc = app.oidc.as_ref().ok_or_else(ApiError::not_found)?;
    let return_to = own_place(&app.public_url, &asked).unwrap_or_else(|| "/".to_owned());
    match oidc.begin(&app.ids, return_to, app.now()).await {
        Ok((url, attempt)) => {
            let kept = Cookie::SignIn.set(&app.public_url, &attempt.encode(), ATTEMPT_LASTS);
            Ok(to(url.as_str(), [kept]))
        }
        Err(err) => {
            tracing::warn!(error = %err, "nobody can sign in");
            Ok(to(Fault::Unavailable.place(), []))
        }
    }
}
