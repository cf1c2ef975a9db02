//! Listing many numbers at once, out of a CSV document: all of them or none.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::action;
use crate::app::list_numbers::Listing;
use crate::app::number_csv::{self, RowFault, Rows};
use crate::auth::EditNumbers;
use crate::domain::listed_number::List;
use crate::domain::quota::Quota;
use crate::http::caller::{Caller, states};
use crate::http::once::OnceResult;
use crate::http::problem::{ApiError, ApiResult, Code, FieldFault};
use crate::http::quota::must_fit;
use crate::http::state::AppState;

pub(super) const BYTES_MAX: usize = 16 * 1024 * 1024;

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
    let rows = number_csv::read(document, now).map_err(refused)?;
    let by = caller.principal.actor();
    let listing = Listing {
        list,
        ids: &caller.app.ids,
        now,
        by: &by,
    };
    let mut tx = caller.begin_once().await?;
    let change = listing.plan(&mut tx, &rows.wanted).await?;
    if !change.in_other_list.is_empty() {
        return Err(refused(in_other_list(list, &rows, &change.in_other_list)).into());
    }
    listing.carry_out(&mut tx, &rows.wanted, &change).await?;
    if !change.add.is_empty() {
        must_fit(&mut tx, Quota::ListedNumbers, now).await?;
    }
    let imported = Imported {
        added: change.add.len(),
        changed: change.change.len(),
        unchanged: change.unchanged,
    };
    let after = json!({ "added": imported.added, "changed": imported.changed });
    let change = caller.change(
        action(list, "exemption.import", "block.import"),
        caller.tenant.id,
    );
    tx.audit_append(&states(change, None, Some(after))).await?;
    let answer = tx.answer(StatusCode::OK, &imported).await?;
    caller.app.wake_ups.numbers.wake();
    caller.app.wake_ups.publications.wake();
    Ok(answer)
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
