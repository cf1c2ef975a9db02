//! Listing many numbers at once, out of a CSV document: all of them or none.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::action;
use super::body::{audited, audited_wanted};
use crate::app::list_numbers::Listing;
use crate::app::number_csv::{self, RowFault, Rows};
use crate::auth::EditNumbers;
use crate::domain::ids::EntryId;
use crate::domain::listed_number::{List, ListChange, ListedNumber, WantedNumber};
use crate::domain::quota::Quota;
use crate::http::caller::{Caller, states};
use crate::http::once::OnceResult;
use crate::http::problem::{ApiError, ApiResult, Code, FieldFault};
use crate::http::quota::must_fit;
use crate::http::state::AppState;

pub(super) const BYTES_MAX: usize = 16 * 1024 * 1024;
/// Entries that one row of the audit log tells of, so that a page of the log stays of a size to be read.
const AUDITED_AT_ONCE: usize = 100;

/// A body of the type `text/csv`.
#[derive(Debug)]
pub(super) struct CsvBody(pub Bytes);

impl FromRequest<AppState> for CsvBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &AppState) -> ApiResult<Self> {
        let is_csv = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("text/csv"));
        if !is_csv {
            return Err(ApiError::new(
                Code::UnsupportedMediaType,
                "send the rows as text/csv",
            ));
        }
        let bytes = Bytes::from_request(request, app).await;
        bytes.map(Self).map_err(|err| match err.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                ApiError::new(Code::PayloadTooLarge, "the document may have 16 MiB")
            }
            _ => ApiError::new(
                Code::MalformedRequest,
                "the body could not be read to its end",
            ),
        })
    }
}

/// How many rows the document had, by what became of them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedNumbers)]
pub(super) struct Imported {
    #[schema(example = 120)]
    added: usize,
    /// Were in the list with another reason or expiry.
    #[schema(example = 2)]
    changed: usize,
    /// Were in the list as they are here.
    #[schema(example = 38)]
    unchanged: usize,
}

pub(super) async fn import(
    caller: &Caller<EditNumbers>,
    list: List,
    document: &[u8],
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
    let rows = number_csv::read(document, now).map_err(refused)?;
    let change = listing.plan(&mut tx, &rows.wanted).await?;
    if !change.in_other_list.is_empty() {
        return Err(refused(in_other_list(list, &rows, &change.in_other_list)).into());
    }
    let added = listing.carry_out(&mut tx, &rows.wanted, &change).await?;
    if !change.add.is_empty() {
        must_fit(&mut tx, Quota::ListedNumbers, now).await?;
    }
    let imported = Imported {
        added: change.add.len(),
        changed: change.change.len(),
        unchanged: change.unchanged,
    };
    for (before, after) in audited_rows(&rows.wanted, &change, &added) {
        let told = caller.change(
            action(list, "exemption.import", "block.import"),
            caller.tenant.id,
        );
        tx.audit_append(&states(told, before, Some(after))).await?;
    }
    let answer = tx.answer(StatusCode::OK, &imported).await?;
    caller.app.wake_ups.numbers.wake();
    caller.app.wake_ups.publications.wake();
    Ok(answer)
}

/// Before and after of the import's rows in the audit log, by the entries' ids; one row also where nothing changed.
fn audited_rows(
    wanted: &[WantedNumber],
    change: &ListChange,
    added: &[EntryId],
) -> Vec<(Option<Value>, Value)> {
    let changed = change
        .change
        .iter()
        .map(|(before, at)| (before.id, Some(before), at));
    let added = added
        .iter()
        .zip(&change.add)
        .map(|(id, at)| (*id, None, at));
    let entries: Vec<(EntryId, Option<&ListedNumber>, &WantedNumber)> = changed
        .chain(added)
        .filter_map(|(id, before, at)| Some((id, before, wanted.get(*at)?)))
        .collect();
    let row = |entries: &[(EntryId, Option<&ListedNumber>, &WantedNumber)]| {
        let before: Map<String, Value> = entries
            .iter()
            .filter_map(|(id, before, _)| Some((id.to_string(), audited((*before)?))))
            .collect();
        let after: Map<String, Value> = entries
            .iter()
            .map(|(id, _, wanted)| (id.to_string(), audited_wanted(wanted)))
            .collect();
        let before = (!before.is_empty()).then(|| json!({ "entries": before }));
        let after = json!({
            "added": change.add.len(),
            "changed": change.change.len(),
            "entries": after,
        });
        (before, after)
    };
    match entries.is_empty() {
        true => vec![row(&[])],
        false => entries.chunks(AUDITED_AT_ONCE).map(row).collect(),
    }
}

fn in_other_list(list: List, rows: &Rows, positions: &[usize]) -> Vec<RowFault> {
    let detail = match list {
        List::Exemption => "is among the blocks",
        List::Block => "is among the exemptions",
    };
    positions
        .iter()
        .filter_map(|position| rows.lines.get(*position))
        .map(|line| RowFault {
            line: *line,
            column: "number",
            code: "duplicate",
            detail: detail.to_owned(),
        })
        .collect()
}

fn refused(faults: Vec<RowFault>) -> ApiError {
    let faults = faults.into_iter().map(|fault| {
        let pointer = match fault.column {
            "" => format!("/{}", fault.line),
            column => format!("/{}/{column}", fault.line),
        };
        let detail = format!("line {}: {}", fault.line, fault.detail);
        FieldFault::new(pointer, fault.code, detail)
    });
    ApiError::validation(faults.collect())
}
