//! Looking through the audit log.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::AuditEntryBody;
use crate::auth::ViewAudit;
use crate::http::caller::{Caller, Operator};
use crate::http::problem::ApiResult;
use crate::http::query::{Query, page};
use crate::http::turns::{Turn, Turns};
use crate::store::{AuditEntry, AuditFilter, AuditLog};

const TEXT_MAX: usize = 200;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditLog)]
pub(super) struct AuditLogBody {
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
    responses((status = 200, body = AuditLogBody))
)]
pub(in crate::http) async fn list(
    caller: Caller<ViewAudit>,
    query: Query,
) -> ApiResult<Json<AuditLogBody>> {
    let wanted = Wanted::of(query)?;
    let _turn = wanted.turn(&caller.app.turns).await?;
    wanted.page(caller.begin().await?.into_audit_log()).await
}

/// List what operators did that concerns no tenant, newest first
///
/// What they did to a tenant is in the tenant's log.
#[utoipa::path(
    get, path = "/v1/operator/audit-log", operation_id = "operator_audit_log_list", tag = "audit-log",
    security(("bearer" = [Operator::NAME])),
    params(
        ("actor" = Option<String>, Query, description = "As entries show it", example = "console"),
        ("action" = Option<String>, Query, description = "What was done", example = "shard.drain"),
        (
            "target" = Option<String>, Query, description = "The id of what was changed",
            example = "opk_01890a5d000070008000000000000000",
        ),
        ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, body = AuditLogBody))
)]
pub(in crate::http) async fn list_operators(
    caller: Operator,
    query: Query,
) -> ApiResult<Json<AuditLogBody>> {
    let wanted = Wanted::of(query)?;
    let _turn = wanted.turn(&caller.app.turns).await?;
    wanted.page(caller.begin().await?.into_audit_log()).await
}

/// Which entries, and how many of them.
struct Wanted {
    filter: AuditFilter,
    before: Option<i64>,
    limit: i64,
}

impl Wanted {
    fn of(mut query: Query) -> ApiResult<Self> {
        let mut text = |name| query.parsed(name, short, "at most 200 characters without a NUL");
        let filter = AuditFilter {
            actor: text("actor")?,
            action: text("action")?,
            target: text("target")?,
        };
        let limit = query.limit()?;
        let before = query.cursor(|text| text.parse().ok())?;
        query.finish()?;
        Ok(Self {
            filter,
            before,
            limit,
        })
    }

    /// Where the log may have to be looked through for a few entries.
    async fn turn(&self, turns: &Turns) -> ApiResult<Option<Turn>> {
        let AuditFilter {
            actor,
            action,
            target,
        } = &self.filter;
        match [actor, action, target].into_iter().any(Option::is_some) {
            true => Ok(Some(turns.search().await?)),
            false => Ok(None),
        }
    }

    async fn page(&self, mut log: AuditLog) -> ApiResult<Json<AuditLogBody>> {
        let entries = log.list(&self.filter, self.before, self.limit + 1).await?;
        let list = page(
            entries,
            self.limit,
            |entry: &AuditEntry| entry.seq.to_string(),
            AuditEntryBody::from,
        );
        Ok(Json(AuditLogBody {
            data: list.data,
            next_cursor: list.next_cursor,
        }))
    }
}

fn short(text: &str) -> Option<String> {
    (text.len() <= TEXT_MAX && !text.contains('\0')).then(|| text.to_owned())
}
