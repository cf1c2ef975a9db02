//! Reading one entry.

use axum::Json;

use super::body::ListedNumberBody;
use crate::auth::View;
use crate::domain::ids::EntryId;
use crate::domain::listed_number::List;
use crate::http::caller::Caller;
use crate::http::problem::{ApiError, ApiResult};

pub(super) async fn get(
    caller: &Caller<View>,
    list: List,
    id: EntryId,
) -> ApiResult<Json<ListedNumberBody>> {
    let mut tx = caller.begin().await?;
    let entry = tx.listed_number_get(list, id).await?;
    Ok(Json(entry.ok_or_else(ApiError::not_found)?.into()))
}
