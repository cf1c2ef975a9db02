//! Listing one number.

use std::slice;

use axum::http::StatusCode;

use super::action;
use super::body::{ListedNumberBody, audited};
use crate::app::list_numbers::Listing;
use crate::app::number_csv::NOT_IN_THE_FUTURE;
use crate::auth::EditNumbers;
use crate::domain::listed_number::{List, ListedNumber, WantedNumber};
use crate::domain::quota::Quota;
use crate::http::caller::{Caller, states};
use crate::http::once::OnceResult;
use crate::http::problem::{ApiError, Code, FieldFault};
use crate::http::quota::must_fit;

pub(super) async fn add(
    caller: &Caller<EditNumbers>,
    list: List,
    wanted: WantedNumber,
) -> OnceResult {
    let now = caller.now();
    let by = caller.principal.actor();
    let listing = Listing {
        list,
        ids: &caller.app.ids,
        now,
        by: &by,
    };
    let mut tx = caller.begin_once().await?;
    // Behind the key: what was done in time is answered again later, too.
    if wanted.expires_at.is_some_and(|at| at <= now) {
        return Err(ApiError::validation(vec![FieldFault::new(
            "/expires_at",
            "out_of_range",
            NOT_IN_THE_FUTURE,
        )])
        .into());
    }
    let change = listing.plan(&mut tx, slice::from_ref(&wanted)).await?;
    if change.add.is_empty() {
        let is_in_other = !change.in_other_list.is_empty();
        return Err(listed(list, is_in_other).into());
    }
    let added = listing
        .carry_out(&mut tx, slice::from_ref(&wanted), &change)
        .await?;
    must_fit(&mut tx, Quota::ListedNumbers, now).await?;
    let id = added
        .into_iter()
        .next()
        .ok_or_else(|| ApiError::internal("a number was listed without an id"))?;
    let entry = ListedNumber {
        id,
        list,
        number: wanted.number,
        reason: wanted.reason,
        expires_at: wanted.expires_at,
        created_at: now,
        created_by: by.clone(),
    };
    let change = caller.change(action(list, "exemption.create", "block.create"), id);
    tx.audit_append(&states(change, None, Some(audited(&entry))))
        .await?;
    let answer = tx
        .answer(StatusCode::CREATED, &ListedNumberBody::from(entry))
        .await?;
    caller.app.wake_ups.numbers.wake();
    caller.app.wake_ups.publications.wake();
    Ok(answer)
}

fn listed(list: List, is_in_other: bool) -> ApiError {
    let detail = match (list, is_in_other) {
        (List::Exemption, false) | (List::Block, true) => "the number is among the exemptions",
        (List::Block, false) | (List::Exemption, true) => "the number is among the blocks",
    };
    ApiError::new(Code::NumberListed, detail)
}
