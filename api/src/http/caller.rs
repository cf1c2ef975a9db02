//! Who calls, as an argument that handlers cannot do without: the tenant comes out of the checked credential only.

use std::fmt::Display;
use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use serde_json::Value;

use super::cookies::Cookie;
use super::cross_site::refuse_cross_site;
use super::once::{self, Early, Once, OnceTx};
use super::origin::Origin;
use super::problem::{ApiError, ApiResult, Code};
use super::rate;
use super::state::AppState;
use super::v1::must_be_there;
use crate::auth::session::{SignedIn, csrf_token};
use crate::auth::{Kind, Permission, Principal};
use crate::domain::ids::TenantId;
use crate::domain::tenant::{Tenant, TenantStatus};
use crate::store::{Change, SystemTx, TenantTx};

const TENANT_HEADER: &str = "ringfence-tenant";

/// Anybody who was recognised.
#[derive(Debug)]
pub(super) struct AnyCaller {
    pub principal: Principal,
    /// For people's browsers: what requests that change something must bring.
    pub csrf_token: Option<String>,
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

/// A person, in a browser where they are signed in; of whatever tenant, or of none.
#[derive(Debug)]
pub(super) struct Somebody {
    pub app: AppState,
    pub signed_in: SignedIn,
    principal: Principal,
    origin: Origin,
    once: Option<Once>,
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

impl Somebody {
    pub const NAME: &str = "person";
}

impl Operator {
    pub const NAME: &str = "operator";
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

impl Somebody {
    pub fn now(&self) -> Timestamp {
        self.app.now()
    }

    /// As [`Caller::begin_once`], for what is nobody's tenant's yet.
    pub async fn begin_once(&self, reason: &'static str) -> Result<OnceTx<SystemTx>, Early> {
        let tx = self.app.store.system(reason).await?;
        once::begin(tx, self.once.as_ref(), &self.app).await
    }

    /// The tenant that the request is about, if it is about one.
    pub fn tenant(&self) -> Option<TenantId> {
        self.principal.tenant.as_ref().map(|tenant| tenant.id)
    }

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

pub(super) fn change(
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
        let csrf_token = match principal.kind {
            Kind::Session(_) => Cookie::Session
                .read(&parts.headers, &app.public_url)
                .map(csrf_token),
            _ => None,
        };
        Ok(Self {
            principal,
            csrf_token,
        })
    }
}

impl<P: Permission> FromRequestParts<AppState> for Caller<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> ApiResult<Self> {
        let Recognised { principal, once } = recognise(parts, app).await?;
        let Some(tenant) = principal.tenant.clone() else {
            return Err(without_tenant(&principal));
        };
        if principal.role < P::LEAST {
            let detail = format!(
                "this needs the role {}; yours is {}",
                P::LEAST,
                principal.role
            );
            return Err(ApiError::new(Code::Forbidden, detail));
        }
        if !principal.is_within_scopes(P::NAME) {
            let detail = format!("the key's scopes leave out {}", P::NAME);
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
            origin: Origin::of(parts, app),
            once,
            principal,
            tenant,
            permission: PhantomData,
        })
    }
}

impl FromRequestParts<AppState> for Somebody {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> ApiResult<Self> {
        let Recognised { principal, once } = recognise(parts, app).await?;
        let Kind::Session(signed_in) = &principal.kind else {
            return Err(ApiError::new(
                Code::Forbidden,
                "only a person who is signed in may do this",
            ));
        };
        Ok(Self {
            app: app.clone(),
            signed_in: SignedIn::clone(signed_in),
            origin: Origin::of(parts, app),
            once,
            principal,
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
            origin: Origin::of(parts, app),
            once,
            principal,
        })
    }
}

fn without_tenant(principal: &Principal) -> ApiError {
    match &principal.kind {
        Kind::Session(signed_in) if signed_in.memberships.is_empty() && !signed_in.is_operator => {
            ApiError::new(
                Code::Forbidden,
                "you are a member of no tenant; ask an owner or admin of yours for an invitation",
            )
        }
        _ => ApiError::new(
            Code::MalformedRequest,
            "name the tenant you act for in the header Ringfence-Tenant",
        ),
    }
}

/// A caller, and the key that the request is to be done once under.
struct Recognised {
    principal: Principal,
    once: Option<Once>,
}

async fn recognise(parts: &Parts, app: &AppState) -> ApiResult<Recognised> {
    let principal = principal(parts, app).await?;
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

async fn principal(parts: &Parts, app: &AppState) -> ApiResult<Principal> {
    let headers = &parts.headers;
    let acts_for = match headers.get(TENANT_HEADER) {
        Some(value) => Some(value.to_str().map_err(|_| ApiError::not_found())?),
        None => None,
    };
    // Who sends a credential of its own is not judged by the browser's cookie.
    if headers.contains_key(header::AUTHORIZATION) {
        let bearer = bearer(headers).ok_or_else(nobody)?;
        return Ok(app.authenticator.bearer(bearer, acts_for).await?);
    }
    let secret = Cookie::Session
        .read(headers, &app.public_url)
        .ok_or_else(nobody)?;
    let principal = app.authenticator.session(secret, acts_for).await?;
    refuse_cross_site(&parts.method, headers, &app.public_url, secret)?;
    Ok(principal)
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
