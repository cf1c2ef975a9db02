//! Accepting an issuer's tokens no more.

use axum::http::StatusCode;

use super::body::audited;
use crate::auth::ManageTokenIssuers;
use crate::domain::ids::TokenIssuerId;
use crate::http::caller::{Caller, states};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};

/// Accept an issuer's tokens no more
///
/// It holds from the next request on.
#[utoipa::path(
    delete, path = "/v1/token-issuers/{id}", operation_id = "token_issuers_remove", tag = "token-issuers",
    security(("bearer" = [ManageTokenIssuers::NAME])),
    params(("id" = String, Path)), responses((status = 204))
)]
pub(in crate::http) async fn remove(
    caller: Caller<ManageTokenIssuers>,
    Id(id): Id<TokenIssuerId>,
) -> ApiResult<StatusCode> {
    let mut tx = caller.begin().await?;
    let removed = tx.token_issuer_remove(id).await?;
    let removed = removed.ok_or_else(ApiError::not_found)?;
    let told = states(
        caller.change("token_issuer.remove", id),
        Some(audited(&removed)),
        None,
    );
    tx.audit_append(&told).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
