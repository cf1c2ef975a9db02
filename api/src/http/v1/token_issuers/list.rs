//! The issuers whose tokens a tenant accepts.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::TokenIssuerBody;
use crate::auth::ViewTokenIssuers;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;
use crate::http::query::{Query, page};
use crate::store::TokenIssuer;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenIssuerList {
    data: Vec<TokenIssuerBody>,
    #[schema(example = "MTc2NDA3MjAwMDAwMDAwMA")]
    next_cursor: Option<String>,
}

/// List the issuers whose tokens are accepted, oldest first
#[utoipa::path(
    get, path = "/v1/token-issuers", operation_id = "token_issuers_list", tag = "token-issuers",
    security(("bearer" = [ViewTokenIssuers::NAME])),
    params(("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = TokenIssuerList))
)]
pub(in crate::http) async fn list(
    caller: Caller<ViewTokenIssuers>,
    mut query: Query,
) -> ApiResult<Json<TokenIssuerList>> {
    let limit = query.limit()?;
    let after = query.cursor(|text| text.parse().ok())?;
    query.finish()?;
    let mut tx = caller.begin().await?;
    let issuers = tx.token_issuer_list(after, limit + 1).await?;
    let position = |issuer: &TokenIssuer| issuer.id.to_string();
    let list = page(issuers, limit, position, TokenIssuerBody::from);
    Ok(Json(TokenIssuerList {
        data: list.data,
        next_cursor: list.next_cursor,
    }))
}
