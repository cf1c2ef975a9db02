//! Who calls, as an argument that handlers cannot do without: the tenant comes out of the checked credential only.

use std::fmt::Display;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use serde_json::Value;

use super::once::{self, Early, Once, OnceTx};
use super::problem::{ApiError, ApiResult, Code};
use super::rate;
use super::state::AppState;
use super::v1::must_be_there;
use crate::auth::{Permission, Principal};
use crate::domain::ids::{RequestId, TenantId};
use crate::domain::tenant::{Tenant, TenantStatus};
use crate::store::{Change, SystemTx, TenantTx};

const TENANT_HEADER: &str = "ringfence-tenant";

/// Anybody who was recognised.
#[derive(Debug)]
pub(super) struct AnyCaller {
    pub principal: Principal,
}

/// Somebody who may do `P` in a tenant.
#[derive(Debug)]
pub(super) struct Caller<P> {
    pub app: AppState,
    pub principal: Principal,
    pub tenant: Tenant,
    origin: Origin,
    once: Option<Once>,
    permission: PhantomData<fn() -> P>,
}

/// An operator, for whatever tenant.
#[derive(Debug)]
pub(super) struct Operator {
    pub app: AppState,
    pub principal: Principal,
    origin: Origin,
    once: Option<Once>,
}

impl AnyCaller {
    pub const NAME: &str = "any";
}

impl Operator {
    pub const NAME: &str = "operator";
}

/// Where a request came from, and what it is called.
#[derive(Debug, Clone, Copy)]
struct Origin {
    request_id: RequestId,
    ip: Option<IpAddr>,
}

impl<P> Caller<P> {
    /// One moment per use: what belongs together takes it once.
    pub fn now(&self) -> Timestamp {
        self.app.now()
    }

    pub async fn begin(&self) -> ApiResult<TenantTx> {
        Ok(self.app.store.tenant(self.tenant.id).await?)
    }

    /// For work that is done once, however often its request is sent with the same `Idempotency-Key`.
    pub async fn begin_once(&self) -> Result<OnceTx<TenantTx>, Early> {
        once::begin(self.begin().await?, self.once.as_ref(), &self.app).await
    }

    /// To read only: the same rows all along, whoever writes meanwhile.
    pub async fn begin_frozen(&self) -> ApiResult<TenantTx> {
        Ok(self.app.store.tenant_frozen(self.tenant.id).await?)
    }

    /// The audit row of a change, to be completed and written in the change's own transaction.
    pub fn change(&self, action: &'static str, target: impl Display) -> Change {
        change(&self.app, &self.principal, self.origin, action, target)
    }
}

impl Operator {
    pub fn now(&self) -> Timestamp {
        self.app.now()
    }

    pub async fn begin(&self) -> ApiResult<SystemTx> {
        Ok(self
            .app
            .store
            .system("the operator manages tenants")
            .await?)
    }

    /// As [`Caller::begin_once`], for what concerns no tenant that is there already.
    pub async fn begin_once(&self) -> Result<OnceTx<SystemTx>, Early> {
        once::begin(self.begin().await?, self.once.as_ref(), &self.app).await
    }

    /// As [`Caller::begin_once`], inside a tenant.
    pub async fn begin_once_in(&self, tenant: TenantId) -> Result<OnceTx<TenantTx>, Early> {
        let tx = self.app.store.tenant(tenant).await?;
        once::begin(tx, self.once.as_ref(), &self.app).await
    }

    pub fn change(&self, action: &'static str, target: impl Display) -> Change {
        change(&self.app, &self.principal, self.origin, action, target)
    }
}

fn change(
    app: &AppState,
    principal: &Principal,
    origin: Origin,
    action: &'static str,
    target: impl Display,
) -> Change {
    Change {
        id: app.ids.uuid(),
        at: app.now(),
        actor: principal.actor(),
        action,
        target: target.to_string(),
        before: None,
        after: None,
        request_id: Some(origin.request_id.to_string()),
        ip: origin.ip,
    }
}

/// Before and after, as far as there are any.
pub(super) fn states(mut change: Change, before: Option<Value>, after: Option<Value>) -> Change {
    change.before = before;
    change.after = after;
    change
}

impl FromRequestParts<AppState> for AnyCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> ApiResult<Self> {
        let principal = recognise(parts, app).await?.principal;
        Ok(Self { principal })
    }
}

impl<P: Permission> FromRequestParts<AppState> for Caller<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> ApiResult<Self> {
        let Recognised { principal, once } = recognise(parts, app).await?;
        let Some(tenant) = principal.tenant.clone() else {
            return Err(ApiError::new(
                Code::MalformedRequest,
                "name the tenant you act for in the header Ringfence-Tenant",
            ));
        };
        if principal.role < P::LEAST {
            let detail = format!(
                "this needs the role {}; yours is {}",
                P::LEAST,
                principal.role
            );
            return Err(ApiError::new(Code::Forbidden, detail));
        }
        if P::CHANGES && tenant.status == TenantStatus::Suspended && !principal.is_operator() {
            return Err(ApiError::new(
                Code::TenantSuspended,
                "your tenant is suspended: it can read, and change nothing",
            ));
        }
        if P::CHANGES {
            must_be_there(&tenant)?;
        }
        Ok(Self {
            app: app.clone(),
            origin: origin(parts, app),
            once,
            principal,
            tenant,
            permission: PhantomData,
        })
    }
}

impl FromRequestParts<AppState> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> ApiResult<Self> {
        let Recognised { principal, once } = recognise(parts, app).await?;
        if !principal.is_operator() {
            return Err(ApiError::new(
                Code::Forbidden,
                "only the operator may do this",
            ));
        }
        Ok(Self {
            app: app.clone(),
            origin: origin(parts, app),
            once,
            principal,
        })
    }
}

fn origin(parts: &Parts, app: &AppState) -> Origin {
    let request_id = parts.extensions.get::<RequestId>();
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    Origin {
        request_id: request_id.copied().unwrap_or(RequestId(uuid::Uuid::nil())),
        ip: client_ip(
            peer.map(|peer| peer.0.ip()),
            &parts.headers,
            app.settings.trusted_proxies,
        ),
    }
}

/// Each proxy appends the address that it was called from; only what our own proxies wrote is believed.
fn client_ip(peer: Option<IpAddr>, headers: &HeaderMap, trusted_proxies: usize) -> Option<IpAddr> {
    let Some(behind) = trusted_proxies.checked_sub(1) else {
        return peer;
    };
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let address = forwarded.iter().rev().nth(behind)?;
    address.trim().parse().ok()
}

/// A caller, and the key that the request is to be done once under.
struct Recognised {
    principal: Principal,
    once: Option<Once>,
}

async fn recognise(parts: &Parts, app: &AppState) -> ApiResult<Recognised> {
    let bearer = bearer(&parts.headers).ok_or_else(|| {
        ApiError::new(
            Code::Unauthenticated,
            "send a key or a token as Authorization: Bearer …",
        )
    })?;
    let acts_for = match parts.headers.get(TENANT_HEADER) {
        Some(value) => Some(value.to_str().map_err(|_| ApiError::not_found())?),
        None => None,
    };
    let principal = app.authenticator.authenticate(bearer, acts_for).await?;
    let is_gone = |tenant: &Tenant| tenant.status.is_going();
    if principal.tenant.as_ref().is_some_and(is_gone) && !principal.is_operator() {
        return Err(ApiError::not_found());
    }
    rate::charge(app, &principal, &parts.extensions)?;
    Ok(Recognised {
        once: Once::of(&parts.extensions, &principal.actor()),
        principal,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(forwarded: &[&str], trusted_proxies: usize) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().expect("a value"));
        }
        let peer = Some("10.0.0.9".parse().expect("an address"));
        client_ip(peer, &headers, trusted_proxies).map(|ip| ip.to_string())
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let said = ["198.51.100.66", "203.0.113.7, 10.0.0.2"];
        assert_eq!(ip(&said, 0).as_deref(), Some("10.0.0.9"));
        assert_eq!(ip(&said, 1).as_deref(), Some("10.0.0.2"));
        assert_eq!(ip(&said, 2).as_deref(), Some("203.0.113.7"));
        assert_eq!(ip(&said[1..], 3), None);
        assert_eq!(ip(&["rubbish"], 1), None);
    }
}
