//! Who calls, as an argument that handlers cannot do without: the tenant comes out of the checked credential only.

use std::fmt::Display;
use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use serde_json::Value;

use super::problem::{ApiError, ApiResult, Code};
use super::state::AppState;
use crate::auth::{Permission, Principal};
use crate::domain::ids::RequestId;
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
    request_id: RequestId,
    permission: PhantomData<fn() -> P>,
}

/// An operator, for whatever tenant.
#[derive(Debug)]
pub(super) struct Operator {
    pub app: AppState,
    pub principal: Principal,
    request_id: RequestId,
}

impl<P> Caller<P> {
    /// One moment per use: what belongs together takes it once.
    pub fn now(&self) -> Timestamp {
        self.app.now()
    }

    pub async fn begin(&self) -> ApiResult<TenantTx> {
        Ok(self.app.store.tenant(self.tenant.id).await?)
    }

    /// The audit row of a change, to be completed and written in the change's own transaction.
    pub fn change(&self, action: &'static str, target: impl Display) -> Change {
        change(&self.app, &self.principal, self.request_id, action, target)
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

    pub fn change(&self, action: &'static str, target: impl Display) -> Change {
        change(&self.app, &self.principal, self.request_id, action, target)
    }
}

fn change(
    app: &AppState,
    principal: &Principal,
    request_id: RequestId,
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
        request_id: Some(request_id.to_string()),
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
        Ok(Self {
            principal: recognise(&parts.headers, app).await?,
        })
    }
}

impl<P: Permission> FromRequestParts<AppState> for Caller<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> ApiResult<Self> {
        let principal = recognise(&parts.headers, app).await?;
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
                Code::Forbidden,
                "your tenant is suspended: it can read, and change nothing",
            ));
        }
        Ok(Self {
            app: app.clone(),
            request_id: request_id(parts),
            principal,
            tenant,
            permission: PhantomData,
        })
    }
}

impl FromRequestParts<AppState> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> ApiResult<Self> {
        let principal = recognise(&parts.headers, app).await?;
        if !principal.is_operator() {
            return Err(ApiError::new(
                Code::Forbidden,
                "only the operator may do this",
            ));
        }
        Ok(Self {
            app: app.clone(),
            request_id: request_id(parts),
            principal,
        })
    }
}

fn request_id(parts: &Parts) -> RequestId {
    parts
        .extensions
        .get::<RequestId>()
        .copied()
        .unwrap_or(RequestId(uuid::Uuid::nil()))
}

async fn recognise(headers: &HeaderMap, app: &AppState) -> ApiResult<Principal> {
    let bearer = bearer(headers).ok_or_else(|| {
        ApiError::new(
            Code::Unauthenticated,
            "send a key or a token as Authorization: Bearer …",
        )
    })?;
    let acts_for = match headers.get(TENANT_HEADER) {
        Some(value) => Some(value.to_str().map_err(|_| ApiError::not_found())?),
        None => None,
    };
    Ok(app.authenticator.authenticate(bearer, acts_for).await?)
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
