//! The whole audit log, oldest first, one entry a line.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::time::Instant;

use super::body::AuditEntryBody;
use crate::auth::ViewAudit;
use crate::http::caller::{Caller, Operator};
use crate::http::problem::ApiResult;
use crate::http::query::Query;
use crate::store::{AuditLog, StoreError};

const READ_AT_ONCE: i64 = 500;
/// Also for who takes the file slowly: whether they still may see it was asked at the beginning.
const LONGEST: Duration = Duration::from_secs(3600);
const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");
const AS_A_FILE: HeaderValue =
    HeaderValue::from_static("attachment; filename=\"ringfence-audit-log.ndjson\"");

/// Export the whole log, oldest first, an entry a line
///
/// With what the lines carry the chain can be followed without Ringfence: see `hash`. One that takes longer than an hour
/// breaks off.
#[utoipa::path(
    get, path = "/v1/audit-log/export", operation_id = "audit_log_export", tag = "audit-log",
    security(("bearer" = [ViewAudit::NAME])),
    responses((status = 200, body = AuditEntryBody, content_type = "application/x-ndjson"))
)]
pub(in crate::http) async fn export(
    caller: Caller<ViewAudit>,
    query: Query,
) -> ApiResult<Response> {
    query.finish()?;
    let (store, tenant) = (caller.app.store.clone(), caller.tenant.id);
    let last = last(caller.begin().await?.into_audit_log()).await?;
    Ok(file(last, move || {
        let store = store.clone();
        async move { Ok(store.tenant(tenant).await?.into_audit_log()) }
    }))
}

/// Export the whole log of what concerns no tenant, oldest first, an entry a line
///
/// As a tenant's is.
#[utoipa::path(
    get, path = "/v1/operator/audit-log/export", operation_id = "operator_audit_log_export", tag = "audit-log",
    security(("bearer" = [Operator::NAME])),
    responses((status = 200, body = AuditEntryBody, content_type = "application/x-ndjson"))
)]
pub(in crate::http) async fn export_operators(
    caller: Operator,
    query: Query,
) -> ApiResult<Response> {
    query.finish()?;
    let last = last(caller.begin().await?.into_audit_log()).await?;
    Ok(file(last, move || {
        let store = caller.app.store.clone();
        let reason = "the operator exports what concerns no tenant";
        async move { Ok(store.system(reason).await?.into_audit_log()) }
    }))
}

/// What is written meanwhile belongs to the next export.
async fn last(mut log: AuditLog) -> ApiResult<i64> {
    Ok(log.head().await?.map_or(0, |head| head.seq))
}

/// Sealed entries stay as they are, so each page has a transaction of its own: who takes the file slowly keeps no
/// connection of the database.
fn file<F, Opened>(last: i64, open: F) -> Response
where
    F: Fn() -> Opened + Send + 'static,
    Opened: Future<Output = Result<AuditLog, StoreError>> + Send + 'static,
{
    let until = Instant::now() + LONGEST;
    let lines = stream::try_unfold(0, move |after| {
        let opened = open();
        async move {
            if Instant::now() >= until {
                tracing::warn!("an export of the audit log took too long");
                return Err(BrokenOff::TooLong);
            }
            Ok(read(opened.await?, after, last).await?)
        }
    });
    let headers = [
        (header::CONTENT_TYPE, NDJSON),
        (header::CONTENT_DISPOSITION, AS_A_FILE),
    ];
    (headers, Body::from_stream(lines)).into_response()
}

/// The status is out already: the answer ends early.
#[derive(Debug, thiserror::Error)]
enum BrokenOff {
    #[error("the export took too long")]
    TooLong,
    #[error(transparent)]
    Store(#[from] StoreError),
}

async fn read(
    mut log: AuditLog,
    after: i64,
    last: i64,
) -> Result<Option<(Bytes, i64)>, StoreError> {
    let mut text = Vec::new();
    let mut read_to = after;
    for entry in log.follow(after, READ_AT_ONCE).await? {
        if entry.seq > last {
            break;
        }
        read_to = entry.seq;
        let line = AuditEntryBody::from(entry);
        serde_json::to_writer(&mut text, &line).map_err(|err| StoreError::Corrupt {
            what: "an audit entry",
            detail: err.to_string(),
        })?;
        text.push(b'\n');
    }
    Ok((!text.is_empty()).then(|| (text.into(), read_to)))
}
