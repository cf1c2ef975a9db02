//! From a request to a caller: what each kind of them is asked for, before the handler runs.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::recognise::{Recognised, recognise};
use super::{AnyCaller, Caller, Operator, Somebody};
use crate::auth::session::{SignedIn, csrf_token};
use crate::auth::{Kind, Permission, Principal};
use crate::http::cookies::Cookie;
use crate::http::once::Once;
use crate::http::origin::Origin;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::http::state::AppState;

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
        if P::CHANGES {
            principal.may_change(&tenant)?;
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
        let Recognised { principal, .. } = recognise(parts, app).await?;
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
            // Under the person: what they do may make a member of them, who would be somebody else.
            once: Once::of(
                &parts.extensions,
                &format!("person:{}", signed_in.person.id),
            ),
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
