//! Accepting an issuer's tokens from now on.

use axum::http::StatusCode;
use url::Url;

use super::body::{NewTokenIssuer, TokenIssuerBody, audited};
use crate::auth::ManageTokenIssuers;
use crate::domain::ids::TokenIssuerId;
use crate::http::body::Body;
use crate::http::caller::{Caller, states};
use crate::http::once::OnceResult;
use crate::http::problem::{ApiError, ApiResult, Code, FieldFault};
use crate::http::state::AppState;
use crate::outbound::Refused;
use crate::store::TokenIssuer;

/// Tenants have one or two providers; the bound keeps what we hold in memory for each in proportion.
const ISSUERS_MAX: i64 = 20;

/// What a name leads to is looked at again with each request; here is told what can be told at once.
fn check_address(app: &AppState, jwks_url: &str) -> ApiResult<()> {
    let refused = match Url::parse(jwks_url) {
        Ok(url) => app.outbound.reach().check(&url).err(),
        Err(_) => Some(Refused::Scheme),
    };
    match refused {
        None => Ok(()),
        Some(refused) => Err(ApiError::validation(vec![FieldFault::new(
            "/jwks_url",
            "invalid",
            refused.to_string(),
        )])),
    }
}

/// Accept an issuer's tokens
///
/// They are sent as `Authorization: Bearer …` with the tenant in `Ringfence-Tenant`. The issuer's keys are read when the
/// first token comes. Nobody gives more than they have, and a key that expires registers none. To change something, remove the
/// issuer and register it anew.
#[utoipa::path(
    post, path = "/v1/token-issuers", operation_id = "token_issuers_create", tag = "token-issuers",
    security(("bearer" = [ManageTokenIssuers::NAME])),
    extensions(("x-errors" = json!(["conflict", "issuer_registered"]))),
    request_body = NewTokenIssuer, responses((status = 201, body = TokenIssuerBody))
)]
pub(in crate::http) async fn create(
    caller: Caller<ManageTokenIssuers>,
    Body(new): Body<NewTokenIssuer>,
) -> OnceResult {
    check_address(&caller.app, &new.jwks_url)?;
    let issuer = TokenIssuer {
        id: TokenIssuerId(caller.app.ids.uuid()),
        issuer: new.issuer,
        audience: new.audience,
        jwks_url: new.jwks_url,
        algorithms: new.algorithms,
        role_claim: new.role_claim,
        roles: new.roles,
        default_role: new.default_role,
        created_at: caller.now(),
    };
    if let Some(role) = issuer.highest_role()
        && !caller.principal.may_give(role, None)
    {
        let detail = format!(
            "nobody gives more than they have; yours is the role {}",
            caller.principal.role
        );
        return Err(ApiError::new(Code::Forbidden, detail).into());
    }
    if !caller.principal.may_give_until(None) {
        let detail =
            "a key that expires registers no issuer, for its tokens go on; use one that does not";
        return Err(ApiError::new(Code::Forbidden, detail).into());
    }
    let told = states(
        caller.change("token_issuer.create", issuer.id),
        None,
        Some(audited(&issuer)),
    );
    let mut tx = caller.begin_once().await?;
    tx.tenant_turn().await?;
    let present = tx.token_issuer_list(None, ISSUERS_MAX).await?;
    if i64::try_from(present.len()).unwrap_or(i64::MAX) >= ISSUERS_MAX {
        let detail = format!("a tenant accepts at most {ISSUERS_MAX} issuers; remove one first");
        return Err(ApiError::new(Code::Conflict, detail).into());
    }
    if !tx.token_issuer_insert(&issuer).await? {
        return Err(ApiError::new(
            Code::IssuerRegistered,
            "your tenant accepts this issuer already; remove it first to change something",
        )
        .into());
    }
    tx.audit_append(&told).await?;
    let made = TokenIssuerBody::from(issuer);
    Ok(tx.answer(StatusCode::CREATED, &made).await?)
}
