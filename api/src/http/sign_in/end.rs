//! Signing out.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::told::Told;
use crate::http::caller::Somebody;
use crate::http::cookies::Cookie;
use crate::http::origin::Origin;
use crate::http::problem::ApiResult;

const REASON: &str = "a session belongs to a person, not to a tenant";

/// Sign out
///
/// Ends this browser's session with Ringfence; the one with the identity provider goes on.
#[utoipa::path(
    delete, path = "/v1/session", operation_id = "session_end", tag = "session",
    security(("bearer" = [Somebody::NAME])), responses((status = 204))
)]
pub(in crate::http) async fn end(caller: Somebody, origin: Origin) -> ApiResult<Response> {
    let mut tx = caller.app.store.system(REASON).await?;
    tx.tenants_hold(&caller.signed_in.memberships).await?;
    if tx.session_end(caller.signed_in.session).await? {
        let mut told = Told::new(&caller.app, origin);
        told.session("session.end", &caller.signed_in, None);
        told.write(&mut tx).await?;
    }
    tx.commit().await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(over) = Cookie::Session.forget(&caller.app.public_url) {
        let headers = response.headers_mut();
        headers.append(axum::http::header::SET_COOKIE, over);
    }
    Ok(response)
}
