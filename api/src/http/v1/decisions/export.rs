//! Decisions as a file, newest first, however many there are.
//!
//! Read page by page, each in a transaction of its own: who takes the file slowly keeps no connection of the database.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt as _, stream};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::body::{DecisionBody, DecisionOutcome, policies_of};
use super::csv::rows;
use super::filter::filter;
use crate::auth::View;
use crate::domain::ids::TenantId;
use crate::http::caller::Caller;
use crate::http::problem::{ApiError, ApiResult, Code};
use crate::http::query::Query;
use crate::http::turns::Turns;
use crate::store::{Cursor, DecisionFilter, Store};

const READ_AT_ONCE: i64 = 500;
/// Also for who takes the file slowly: whether they still may see it was asked at the beginning.
const LONGEST: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(as = ExportFormat, rename_all = "snake_case")]
enum Format {
    Csv,
    Ndjson,
}

impl Format {
    fn read(word: &str) -> Option<Self> {
        match word {
            "csv" => Some(Self::Csv),
            "ndjson" => Some(Self::Ndjson),
            _ => None,
        }
    }

    fn headers(self) -> [(HeaderName, HeaderValue); 2] {
        let (kind, file) = match self {
            Self::Csv => (
                "text/csv; charset=utf-8",
                "attachment; filename=\"ringfence-decisions.csv\"",
            ),
            Self::Ndjson => (
                "application/x-ndjson",
                "attachment; filename=\"ringfence-decisions.ndjson\"",
            ),
        };
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::CONTENT_DISPOSITION, HeaderValue::from_static(file)),
        ]
    }
}

/// Export decisions, newest first
///
/// As a stream: a decision a line, as lists show it (`ndjson`), or its main columns (`csv`, in which a cell that a
/// spreadsheet would take for a formula begins with `'`). By the time of the call: a decision comes in seconds after it, some
/// later, so let consecutive exports overlap, and tell decisions apart by `id`. One that takes longer than an hour breaks off.
#[utoipa::path(
    get, path = "/v1/decisions/export", operation_id = "decisions_export", tag = "decisions",
    security(("bearer" = [View::NAME])),
    params(
        ("format" = inline(Option<Format>), Query, description = "`csv` or `ndjson`; `ndjson` if not given"),
        ("from" = Option<String>, Query, description = "From this time on", format = DateTime, example = "2026-11-24T12:00:00Z"),
        (
            "to" = Option<String>, Query, description = "Before this time; now if not given", format = DateTime,
            example = "2026-11-25T12:00:00Z",
        ),
        ("instance_id" = Option<String>, Query, description = "The instance"),
        ("outcome" = Option<DecisionOutcome>, Query, description = "How it ended"),
        ("rule_id" = Option<String>, Query, description = "The rule that decided", example = "repeat-calls"),
        ("customer_number" = Option<String>, Query, description = "The customer's number, in E.164", example = "+12065550100"),
        ("caller_id" = Option<String>, Query, description = "The number that the customer sees, in E.164", example = "+14255550100"),
        (
            "agent_arn" = Option<String>, Query, description = "The agent",
            example = "arn:aws:connect:us-east-1:111122223333:instance/5f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b/agent/11111111-2222-4333-8444-555555555555",
        ),
        (
            "queue_arn" = Option<String>, Query, description = "The queue",
            example = "arn:aws:connect:us-east-1:111122223333:instance/5f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b/queue/7d1c4a55-2200-4265-82c0-0123456789ab",
        ),
    ),
    responses((status = 200, content((DecisionBody = "application/x-ndjson"), (String = "text/csv", example = json!("id,at,instance_id,contact_id,outcome\n")))))
)]
pub(in crate::http) async fn export(caller: Caller<View>, mut query: Query) -> ApiResult<Response> {
    let format = query.parsed("format", Format::read, "csv or ndjson")?;
    let format = format.unwrap_or(Format::Ndjson);
    let mut filter = filter(&mut query)?;
    query.finish()?;
    filter.to.get_or_insert(caller.now());
    let mut pages = Pages {
        store: caller.app.store.clone(),
        turns: caller.app.turns.clone(),
        tenant: caller.tenant.id,
        filter,
        format,
        cursor: None,
        is_done: false,
        until: Instant::now() + LONGEST,
    };
    // A database that is away is still told by the answer's status.
    let first = pages.next().await?.unwrap_or_default();
    let rest = stream::try_unfold(pages, async |mut pages| {
        if Instant::now() >= pages.until {
            return Err(broken_off(ApiError::new(Code::Timeout, "it took too long")));
        }
        let page = pages.next().await.map_err(broken_off)?;
        Ok(page.map(|page| (page, pages)))
    });
    let first = stream::once(async { Ok::<_, io::Error>(first) });
    let body = Body::from_stream(first.chain(rest));
    Ok((format.headers(), body).into_response())
}

/// The status is out already; that the answer ends early is all that can be told.
fn broken_off(err: ApiError) -> io::Error {
    tracing::warn!(
        code = err.code().as_str(),
        cause = err.cause(),
        "an export breaks off"
    );
    io::Error::other("the export breaks off")
}

struct Pages {
    store: Store,
    turns: Turns,
    tenant: TenantId,
    filter: DecisionFilter,
    format: Format,
    cursor: Option<Cursor>,
    is_done: bool,
    until: Instant,
}

impl Pages {
    /// None after the last.
    async fn next(&mut self) -> ApiResult<Option<Bytes>> {
        if self.is_done {
            return Ok(None);
        }
        let are_first = self.cursor.is_none();
        // For one page only: who takes the file slowly keeps nobody waiting.
        let _turn = match self.filter.asks_for_some() {
            true => Some(self.turns.search().await?),
            false => None,
        };
        let mut tx = self.store.tenant(self.tenant).await?;
        let decisions = tx
            .decision_list(&self.filter, self.cursor, READ_AT_ONCE)
            .await?;
        self.is_done = i64::try_from(decisions.len()).unwrap_or(READ_AT_ONCE) < READ_AT_ONCE;
        self.cursor = decisions.last().map(|last| Cursor {
            at: last.at,
            id: last.id,
        });
        if self.format == Format::Csv {
            return rows(&decisions, are_first).map(|rows| Some(rows.into()));
        }
        let policies = policies_of(&mut tx, &decisions).await?;
        let mut text = Vec::new();
        for decision in decisions {
            let line = DecisionBody::new(decision, &policies);
            serde_json::to_writer(&mut text, &line)
                .map_err(|err| ApiError::internal(err.to_string()))?;
            text.push(b'\n');
        }
        Ok(Some(text.into()))
    }
}
