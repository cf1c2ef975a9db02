//! Erasing what there is of a number.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde_json::json;
use utoipa::ToSchema;

use super::erasure::NumberErasureBody;
use crate::app::number_meters::rules_out_of_reach;
use crate::auth::EraseNumbers;
use crate::domain::ids::NumberErasureId;
use crate::domain::listed_number::List;
use crate::domain::number_erasure::Kept;
use crate::domain::phone::PhoneNumber;
use crate::domain::webhook::masked;
use crate::http::caller::{Caller, states};
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Query;
use crate::http::v1::checks::policy_of;
use crate::store::{NewNumberErasure, TenantTx};

/// What becomes of the entry of a number that is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum ErasedListing {
    Keep,
    Remove,
}

impl ErasedListing {
    fn read(word: &str) -> Option<Self> {
        match word {
            "keep" => Some(Self::Keep),
            "remove" => Some(Self::Remove),
            _ => None,
        }
    }
}

/// Erase a number
///
/// For a person who wants to be forgotten. The number goes out of the tenant's decisions (their outcomes stay, so that figures
/// stay true), the limiters' records of them, notices and webhook messages that are still kept, and the meters of rules that
/// count per customer: **its limits begin anew, so block it if it is not to be called again**. Where it is a caller id it goes
/// out of the decisions too. `kept` says what stays.
///
/// A worker does it, in a minute or more, and ends once the calls that were under way are over; `GET /v1/number-erasures/{id}`
/// shows how far it is. Calls made later are new ones. Asked for again it takes in what has come since.
#[utoipa::path(
    delete, path = "/v1/numbers/{number}", operation_id = "numbers_erase", tag = "checks",
    security(("bearer" = [EraseNumbers::NAME])),
    params(
        ("number" = String, Path, description = "In E.164", example = "+12065550100"),
        ("listing" = inline(Option<ErasedListing>), Query, description = "What becomes of its entry among the exemptions or blocks: `keep`, \
            which is what happens if nothing is said, or `remove`"),
    ),
    responses((status = 202, body = NumberErasureBody))
)]
pub(in crate::http) async fn erase(
    caller: Caller<EraseNumbers>,
    Path(number): Path<String>,
    mut query: Query,
) -> ApiResult<(StatusCode, Json<NumberErasureBody>)> {
    let number = PhoneNumber::read(&number).ok_or_else(ApiError::not_found)?;
    let listed = query.parsed("listing", ErasedListing::read, "keep or remove")?;
    query.finish()?;
    let masked = masked(number.as_str());
    let mut tx = caller.begin().await?;
    let mut kept = vec![Kept::AuditLog];
    let remove = listed == Some(ErasedListing::Remove);
    kept.extend(listing(&mut tx, &caller, &number, remove).await?);
    if tx.number_was_listed(&number).await? {
        kept.push(Kept::RemovedListing);
    }
    if tx.number_is_caller_id(&number).await? {
        kept.push(Kept::CallerIdMeters);
    }
    if any_rule_out_of_reach(&mut tx).await? {
        kept.push(Kept::AttributeMeters);
    }
    let erasure = tx
        .number_erasure_ask(&NewNumberErasure {
            id: NumberErasureId(caller.app.ids.uuid()),
            number: &number,
            masked: &masked,
            kept: &kept,
            asked_at: caller.now(),
        })
        .await?;
    let stays: Vec<&str> = kept.iter().map(|kept| kept.as_str()).collect();
    let after = json!({ "number": masked, "kept": stays });
    let change = caller.change("number.erase", erasure.id);
    tx.audit_append(&states(change, None, Some(after))).await?;
    tx.commit().await?;
    caller.app.wake_ups.number_erasures.wake();
    caller.app.wake_ups.numbers.wake();
    Ok((StatusCode::ACCEPTED, Json(erasure.into())))
}

/// The entry of the number, if there is one and it stays.
async fn listing(
    tx: &mut TenantTx,
    caller: &Caller<EraseNumbers>,
    number: &PhoneNumber,
    remove: bool,
) -> ApiResult<Option<Kept>> {
    tx.listed_numbers_lock_existing().await?;
    let Some(entry) = tx.listed_numbers_of(&[number]).await?.pop() else {
        return Ok(None);
    };
    if !remove {
        return Ok(Some(Kept::Listing));
    }
    tx.listed_numbers_remove(&[entry.id], caller.now()).await?;
    let action = match entry.list {
        List::Exemption => "exemption.remove",
        List::Block => "block.remove",
    };
    // As a removal is audited, but for the number.
    let before = json!({
        "number": masked(number.as_str()), "reason": entry.reason, "expires_at": entry.expires_at,
    });
    let change = caller.change(action, entry.id);
    tx.audit_append(&states(change, Some(before), None)).await?;
    Ok(None)
}

async fn any_rule_out_of_reach(tx: &mut TenantTx) -> ApiResult<bool> {
    for instance in tx.instances_verified().await? {
        let here = policy_of(tx, instance.id).await?;
        if !rules_out_of_reach(&here.policy).is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
