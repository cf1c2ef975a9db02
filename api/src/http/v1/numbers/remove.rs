//! Taking a number off its list.

use axum::http::StatusCode;

use super::action;
use super::body::audited;
use crate::auth::EditNumbers;
use crate::domain::ids::EntryId;
use crate::domain::listed_number::List;
use crate::http::caller::{Caller, states};
use crate::http::problem::{ApiError, ApiResult};

pub(super) async fn remove(
    caller: &Caller<EditNumbers>,
    list: List,
    id: EntryId,
) -> ApiResult<StatusCode> {
    let now = caller.now();
    let mut tx = caller.begin().await?;
    tx.listed_numbers_lock_existing().await?;
    let entry = tx
        .listed_number_get(list, id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    tx.listed_numbers_remove(&[id], now).await?;
    let change = caller.change(action(list, "exemption.remove", "block.remove"), id);
    tx.audit_append(&states(change, Some(audited(&entry)), None))
        .await?;
    tx.commit().await?;
    caller.app.wake_ups.numbers.wake();
    Ok(StatusCode::NO_CONTENT)
}
