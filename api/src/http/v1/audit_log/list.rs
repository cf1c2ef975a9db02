//! Looking through the audit log.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::AuditEntryBody;
use crate::auth::ViewAudit;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;
use crate::http::query::{Query, page};
use crate::store::{AuditEntry, AuditFilter};

const TEXT_MAX: usize = 200;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditLog {
    data: Vec<AuditEntryBody>,
    #[schema(example = "MTc2NDA3MjAwMDAwMDAwMA")]
    next_cursor: Option<String>,
}

/// List what was changed and by whom, newest first
#[utoipa::path(
    get, path = "/v1/audit-log", operation_id = "audit_log_list", tag = "audit-log",
    security(("bearer" = [ViewAudit::NAME])),
    params(
        ("actor" = Option<String>, Query, description = "As entries show it", example = "worker"),
        ("action" = Option<String>, Query, description = "What was done", example = "policy.put"),
        (
            "target" = Option<String>, Query, description = "The id of what was changed",
            example = "pol_01890a5d000070008000000000000000",
        ),
        ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, body = AuditLog))
)]
pub(in crate::http) async fn list(
    caller: Caller<ViewAudit>,
    mut query: Query,
) -> ApiResult<Json<AuditLog>> {
    let mut text = |name| query.parsed(name, short, "at most 200 characters without a NUL");
    let filter = AuditFilter {
        actor: text("actor")?,
        action: text("action")?,
        target: text("target")?,
    };
    let limit = query.limit()?;
    let before = query.cursor(|text| text.parse().ok())?;
    query.finish()?;
    let mut tx = caller.begin().await?;
    let entries = tx.audit_list(&filter, before, limit + 1).await?;
    let list = page(
        entries,
        limit,
        |entry: &AuditEntry| entry.seq.to_string(),
        AuditEntryBody::from,
    );
    Ok(Json(AuditLog {
        data: list.data,
        next_cursor: list.next_cursor,
    }))
}

fn short(text: &str) -> Option<String> {
    (text.len() <= TEXT_MAX && !text.contains('\0')).then(|| text.to_owned())
}
