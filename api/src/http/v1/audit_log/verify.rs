//! Whether the audit log is as it was written.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::ViewAudit;
use crate::domain::audit_chain::{ChainFault, ChainWalk};
use crate::http::caller::{Caller, Operator};
use crate::http::problem::ApiResult;
use crate::http::query::Query;
use crate::store::{AuditHead, AuditLog, StoreError};

const READ_AT_ONCE: i64 = 500;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditVerification {
    /// Every entry stands where it was written and says what it said.
    #[schema(example = true)]
    intact: bool,
    /// Entries that were found to be whole, from the first on.
    #[schema(example = 42)]
    verified: i64,
    /// The hash of the last entry: kept elsewhere, it proves later that nothing up to it was changed.
    head: Option<AuditHeadBody>,
    /// The first thing that is wrong.
    fault: Option<AuditFault>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditHead)]
pub(super) struct AuditHeadBody {
    #[schema(example = 42)]
    seq: i64,
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    hash: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditFault {
    seq: i64,
    problem: AuditFaultProblem,
}

/// `changed`: the entry is not the one that was written there; `missing`: it was taken out; `added`: it was put behind
/// the end.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AuditFaultProblem {
    Changed,
    Missing,
    Added,
}

impl From<ChainFault> for AuditFault {
    fn from(fault: ChainFault) -> Self {
        let (seq, problem) = match fault {
            ChainFault::Changed { seq } => (seq, AuditFaultProblem::Changed),
            ChainFault::Missing { seq } => (seq, AuditFaultProblem::Missing),
            ChainFault::Added { seq } => (seq, AuditFaultProblem::Added),
        };
        Self { seq, problem }
    }
}

/// Follow the log's chain of hashes from the first entry to the last
#[utoipa::path(
    get, path = "/v1/audit-log/verify", operation_id = "audit_log_verify", tag = "audit-log",
    security(("bearer" = [ViewAudit::NAME])),
    responses((status = 200, body = AuditVerification))
)]
pub(in crate::http) async fn verify(
    caller: Caller<ViewAudit>,
    query: Query,
) -> ApiResult<Json<AuditVerification>> {
    query.finish()?;
    verified(caller.begin_frozen().await?.into_audit_log()).await
}

/// Follow the chain of hashes of what concerns no tenant
#[utoipa::path(
    get, path = "/v1/operator/audit-log/verify", operation_id = "operator_audit_log_verify", tag = "audit-log",
    security(("bearer" = [Operator::NAME])),
    responses((status = 200, body = AuditVerification))
)]
pub(in crate::http) async fn verify_operators(
    caller: Operator,
    query: Query,
) -> ApiResult<Json<AuditVerification>> {
    query.finish()?;
    verified(caller.begin_frozen().await?.into_audit_log()).await
}

async fn verified(mut log: AuditLog) -> ApiResult<Json<AuditVerification>> {
    let head = log.head().await?.unwrap_or(AuditHead {
        seq: 0,
        hash: Vec::new(),
    });
    let mut walk = ChainWalk::default();
    let fault = follow(&mut log, &head, &mut walk).await?;
    Ok(Json(AuditVerification {
        intact: fault.is_none(),
        verified: walk.seq(),
        head: (head.seq > 0).then(|| AuditHeadBody {
            seq: head.seq,
            hash: hex::encode(head.hash),
        }),
        fault: fault.map(AuditFault::from),
    }))
}

async fn follow(
    log: &mut AuditLog,
    head: &AuditHead,
    walk: &mut ChainWalk,
) -> Result<Option<ChainFault>, StoreError> {
    loop {
        let entries = log.follow(walk.seq(), READ_AT_ONCE).await?;
        if entries.is_empty() {
            return Ok(walk.end(head.seq, &head.hash).err());
        }
        for entry in entries {
            if let Err(fault) = walk.step(entry.seq, &entry.hash, &entry.content) {
                return Ok(Some(fault));
            }
        }
    }
}
