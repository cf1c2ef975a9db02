//! A browser comes back from the identity provider.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;

use super::told::Told;
use super::{Fault, to};
use crate::auth::keys;
use crate::auth::oidc::{Attempt, Oidc, OidcError, Returned};
use crate::auth::session::{self, SESSION_LASTS, SignedIn};
use crate::domain::identity::Identity;
use crate::domain::origin::own_place;
use crate::http::cookies::Cookie;
use crate::http::origin::Origin;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Query;
use crate::http::state::AppState;

const REASON: &str = "who signs in belongs to no tenant yet";

/// Come back from the identity provider
///
/// For browsers. Ends in a session cookie and the place that was asked for, or on the dashboard's sign-in page.
#[utoipa::path(
    get, path = "/auth/callback", operation_id = "sign_in_callback", tag = "session", security(()),
    extensions(("x-errors" = json!(["not_found"]))),
    params(
        ("code" = Option<String>, Query, description = "What the provider gave", example = "SplxlOBeZQQYbYS6WxSbIA"),
        ("state" = Option<String>, Query, description = "What was sent there", example = "af0ifjsldkj"),
        ("iss" = Option<String>, Query, description = "Who answers", example = "https://login.example.com"),
        ("error" = Option<String>, Query, description = "Why nobody was signed in", example = "access_denied"),
    ),
    responses((status = 303, description = "To the place that was asked for, or to the dashboard's sign-in page"))
)]
pub(in crate::http) async fn callback(
    State(app): State<AppState>,
    origin: Origin,
    headers: HeaderMap,
    query: ApiResult<Query>,
) -> ApiResult<Response> {
    let oidc = app.oidc.as_ref().ok_or_else(ApiError::not_found)?;
    let signed_in = sign_in(&app, oidc, origin, &headers, query).await;
    // One answer for one attempt: whatever became of it, it is over.
    let over = Cookie::SignIn.forget(&app.public_url);
    match signed_in {
        Ok((place, secret)) => {
            let kept = Cookie::Session.set(&app.public_url, secret.reveal(), SESSION_LASTS);
            Ok(to(&place, [over, kept]))
        }
        Err(fault) => Ok(to(fault.place(), [over])),
    }
}

/// The place to go to and the new cookie's secret.
async fn sign_in(
    app: &AppState,
    oidc: &Oidc,
    origin: Origin,
    headers: &HeaderMap,
    query: ApiResult<Query>,
) -> Result<(String, keys::NewKey), Fault> {
    let attempt = Cookie::SignIn
        .read(headers, &app.public_url)
        .and_then(Attempt::decode);
    let Some(attempt) = attempt else {
        return Err(Fault::Expired);
    };
    let mut query = query.map_err(|_| Fault::Refused)?;
    let (Some(code), Some(state)) = (query.take("code"), query.take("state")) else {
        return Err(Fault::Denied);
    };
    let issuer = query.take("iss");
    let returned = Returned {
        code,
        state,
        issuer,
    };
    let now = app.now();
    let finished = oidc.finish(&attempt, returned, now).await;
    let identity = finished.map_err(|err| fault(&err))?;
    let opened = open(app, origin, headers, &identity).await;
    let secret = opened.map_err(|err| ours(&err))?;
    let place = own_place(&app.public_url, &attempt.return_to).unwrap_or_else(|| "/".to_owned());
    Ok((place, secret))
}

fn fault(err: &OidcError) -> Fault {
    tracing::warn!(error = %err, "a sign-in failed");
    match err {
        OidcError::Stranger => Fault::Expired,
        OidcError::Unavailable(_) => Fault::Unavailable,
        OidcError::Refused(_) => Fault::Refused,
    }
}

/// Whom the provider vouched for, and no session could be opened for.
fn ours(err: &ApiError) -> Fault {
    tracing::error!(
        code = err.code().as_str(),
        cause = err.cause(),
        "a session could not be opened"
    );
    Fault::Unavailable
}

async fn open(
    app: &AppState,
    origin: Origin,
    headers: &HeaderMap,
    identity: &Identity,
) -> ApiResult<keys::NewKey> {
    let now = app.now();
    let mut tx = app.store.system(REASON).await?;
    let mut told = Told::new(app, origin);
    // Whoever signs in anew in the same browser leaves nothing of before behind.
    if let Some(old) = Cookie::Session.read(headers, &app.public_url) {
        let old = keys::sha256(old);
        if let Some(old) = tx.session_find(&old, now, session::idle_since(now)).await? {
            let memberships = tx.membership_list(old.person.id).await?;
            tx.tenants_hold(&memberships).await?;
            if tx.session_end(old.id).await? {
                let ended = SignedIn {
                    session: old.id,
                    person: old.person,
                    is_operator: old.is_operator,
                    memberships,
                };
                told.session("session.end", &ended, None);
            }
        }
    }
    let opened = session::open(&mut tx, &app.ids, identity, now).await?;
    let after = json!({ "operator": opened.signed_in.is_operator });
    told.session("session.open", &opened.signed_in, Some(after));
    for renamed in &opened.renamed {
        told.renamed(&opened.signed_in, renamed);
    }
    told.write(&mut tx).await?;
    tx.commit().await?;
    Ok(opened.secret)
}
