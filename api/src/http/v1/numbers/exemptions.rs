//! Numbers that rules skip: calls to them go out, and are not counted.

use axum::Json;
use axum::http::StatusCode;

use super::body::{ListedNumberBody, NewListedNumber};
use super::import::{CsvBody, Imported};
use super::list::ListedNumberList;
use super::{add, get as one, import as many, list as page, remove as off};
use crate::auth::{EditNumbers, View};
use crate::domain::ids::EntryId;
use crate::domain::listed_number::List;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::path::Id;
use crate::http::problem::ApiResult;
use crate::http::query::Query;

const LIST: List = List::Exemption;

/// Exempt a number
///
/// No rule denies calls to it, and they are not counted, until the entry expires or is removed. A number can be in one of the
/// two lists only.
#[utoipa::path(
    post, path = "/v1/exemptions", operation_id = "exemptions_create", tag = "exemptions",
    request_body = NewListedNumber, responses((status = 201, body = ListedNumberBody))
)]
pub(in crate::http) async fn create(
    caller: Caller<EditNumbers>,
    Body(new): Body<NewListedNumber>,
) -> ApiResult<(StatusCode, Json<ListedNumberBody>)> {
    add::add(&caller, LIST, new.into()).await
}

/// List exempt numbers, newest first
///
/// What has expired is shown for another seven days.
#[utoipa::path(
    get, path = "/v1/exemptions", operation_id = "exemptions_list", tag = "exemptions",
    params(
        ("number" = Option<String>, Query, description = "In E.164; the + may be left out"),
        ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, body = ListedNumberList))
)]
pub(in crate::http) async fn list(
    caller: Caller<View>,
    query: Query,
) -> ApiResult<Json<ListedNumberList>> {
    page::list(&caller, LIST, query).await
}

/// One exempt number
#[utoipa::path(
    get, path = "/v1/exemptions/{id}", operation_id = "exemptions_get", tag = "exemptions",
    params(("id" = String, Path)), responses((status = 200, body = ListedNumberBody))
)]
pub(in crate::http) async fn get(
    caller: Caller<View>,
    Id(id): Id<EntryId>,
) -> ApiResult<Json<ListedNumberBody>> {
    one::get(&caller, LIST, id).await
}

/// Take a number off the exemptions
#[utoipa::path(
    delete, path = "/v1/exemptions/{id}", operation_id = "exemptions_remove", tag = "exemptions",
    params(("id" = String, Path)), responses((status = 204))
)]
pub(in crate::http) async fn remove(
    caller: Caller<EditNumbers>,
    Id(id): Id<EntryId>,
) -> ApiResult<StatusCode> {
    off::remove(&caller, LIST, id).await
}

/// Exempt many numbers
///
/// A CSV document, at most 50 000 rows and 16 MiB, whose first line names its columns: `number`, `reason` and, if wanted,
/// `expires_at`. All rows are taken or none: every fault is told, its pointer naming line and column (`/17/number`). A
/// number that is in this list already gets the row's reason and expiry, so that sending a document again changes
/// nothing.
#[utoipa::path(
    post, path = "/v1/exemptions/import", operation_id = "exemptions_import", tag = "exemptions",
    request_body(
        content = String, content_type = "text/csv",
        example = "number,reason,expires_at\n+12065550100,Asked not to be called,\n+442079460000,Court order,2027-01-01T00:00:00Z\n",
    ),
    responses((status = 200, body = Imported))
)]
pub(in crate::http) async fn import(
    caller: Caller<EditNumbers>,
    CsvBody(document): CsvBody,
) -> ApiResult<Json<Imported>> {
    many::import(&caller, LIST, &document).await
}
