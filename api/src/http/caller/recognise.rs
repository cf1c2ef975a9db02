//! The credential of a request, and what must hold of whoever sent it before any permission is looked at.

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::auth::{Authenticated, Principal};
use crate::domain::tenant::Tenant;
use crate::http::cookies::Cookie;
use crate::http::cross_site::refuse_cross_site;
use crate::http::once::Once;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::http::rate;
use crate::http::state::AppState;

const TENANT_HEADER: &str = "ringfence-tenant";

/// A caller, and the key that the request is to be done once under.
pub(super) struct Recognised {
    pub principal: Principal,
    pub once: Option<Once>,
}

/// Counts the request as soon as it is known whose it is, whatever is refused afterwards.
pub(super) async fn recognise(parts: &Parts, app: &AppState) -> ApiResult<Recognised> {
    let headers = &parts.headers;
    let (acts_for, readable) = match acts_for(headers) {
        Ok(acts_for) => (acts_for, Ok(())),
        Err(err) => (None, Err(err)),
    };
    let cookie = cookie(headers, app);
    let authenticated = match cookie {
        Some(secret) => app.authenticator.session(secret, acts_for).await,
        None => {
            let bearer = bearer(headers).ok_or_else(nobody)?;
            app.authenticator.bearer(bearer, acts_for).await
        }
    };
    let Authenticated { principal, named } = match authenticated {
        Ok(authenticated) => authenticated,
        Err(err) => {
            // It may be for want of the tenant that nobody was recognised.
            readable?;
            return Err(err.into());
        }
    };
    let limits = app.settings.rate_limits;
    rate::charge(
        &app.buckets,
        limits,
        app.now(),
        &principal,
        &parts.extensions,
    )?;
    readable?;
    named?;
    if let Some(secret) = cookie {
        refuse_cross_site(&parts.method, headers, &app.public_url, secret)?;
    }
    let is_gone = |tenant: &Tenant| tenant.status.is_going();
    if principal.tenant.as_ref().is_some_and(is_gone) && !principal.is_operator() {
        return Err(ApiError::not_found());
    }
    Ok(Recognised {
        once: Once::of(&parts.extensions, &principal.actor()),
        principal,
    })
}

/// Who sends a credential of its own is not judged by the browser's cookie.
fn cookie<'a>(headers: &'a HeaderMap, app: &AppState) -> Option<&'a str> {
    if headers.contains_key(header::AUTHORIZATION) {
        return None;
    }
    Cookie::Session.read(headers, &app.public_url)
}

/// The tenant that is named beside the credential. Of two nobody could say which one is meant.
fn acts_for(headers: &HeaderMap) -> ApiResult<Option<&str>> {
    let mut values = headers.get_all(TENANT_HEADER).iter();
    let named = match values.next() {
        Some(value) => Some(value.to_str().map_err(|_| ApiError::not_found())?),
        None => None,
    };
    if values.next().is_some() {
        return Err(ApiError::new(
            Code::MalformedRequest,
            "the header Ringfence-Tenant must stand once",
        ));
    }
    Ok(named)
}

fn nobody() -> ApiError {
    ApiError::new(
        Code::Unauthenticated,
        "send a key or a token as Authorization: Bearer …, or sign in",
    )
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, credential) = value.to_str().ok()?.split_once(' ')?;
    let credential = credential.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !credential.is_empty()).then_some(credential)
}
