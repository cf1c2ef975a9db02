//! Whether the audit log is as it was written, so many entries at a time: a log may be longer than one answer may take.

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
const FOLLOWED_AT_MOST: i64 = 100_000;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditVerification {
    /// Every entry that was looked at stands where it was written and says what it said. Of the whole log where `next_after` is
    /// null and each page before it was intact.
    #[schema(example = true)]
    intact: bool,
    /// The last entry that was found to be whole.
    #[schema(example = 42)]
    verified: i64,
    /// The log goes on: what to send as `after` next.
    #[schema(example = json!(null))]
    next_after: Option<i64>,
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
    #[schema(
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
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
    params(
        ("after" = Option<i64>, Query, description = "Only entries behind this one; from the first on if not given", minimum = 0),
        ("limit" = Option<i64>, Query, description = "So many entries at most; 100 000 if not given", minimum = 1, maximum = 100000),
    ),
    responses((status = 200, body = AuditVerification))
)]
pub(in crate::http) async fn verify(
    caller: Caller<ViewAudit>,
    query: Query,
) -> ApiResult<Json<AuditVerification>> {
    let page = Page::read(query)?;
    let _turn = caller.app.turns.verify().await?;
    verified(caller.begin_frozen().await?.into_audit_log(), page).await
}

/// Follow the chain of hashes of what concerns no tenant
#[utoipa::path(
    get, path = "/v1/operator/audit-log/verify", operation_id = "operator_audit_log_verify", tag = "audit-log",
    security(("bearer" = [Operator::NAME])),
    params(
        ("after" = Option<i64>, Query, description = "Only entries behind this one; from the first on if not given", minimum = 0),
        ("limit" = Option<i64>, Query, description = "So many entries at most; 100 000 if not given", minimum = 1, maximum = 100000),
    ),
    responses((status = 200, body = AuditVerification))
)]
pub(in crate::http) async fn verify_operators(
    caller: Operator,
    query: Query,
) -> ApiResult<Json<AuditVerification>> {
    let page = Page::read(query)?;
    let _turn = caller.app.turns.verify().await?;
    verified(caller.begin_frozen().await?.into_audit_log(), page).await
}

/// Which part of the log is followed.
struct Page {
    after: i64,
    limit: i64,
}

impl Page {
    fn read(mut query: Query) -> ApiResult<Self> {
        let from = |least: i64, most: i64| {
            move |text: &str| {
                text.parse()
                    .ok()
                    .filter(|number| (least..=most).contains(number))
            }
        };
        let after = query.parsed("after", from(0, i64::MAX), "an entry's number, or 0")?;
        let wanted = format!("a number from 1 to {FOLLOWED_AT_MOST}");
        let limit = query.parsed("limit", from(1, FOLLOWED_AT_MOST), &wanted)?;
        query.finish()?;
        Ok(Self {
            after: after.unwrap_or(0),
            limit: limit.unwrap_or(FOLLOWED_AT_MOST),
        })
    }
}

async fn verified(mut log: AuditLog, page: Page) -> ApiResult<Json<AuditVerification>> {
    let head = log.head().await?.unwrap_or(AuditHead {
        seq: 0,
        hash: Vec::new(),
    });
    let mut walk = ChainWalk::default();
    let followed = follow(&mut log, &head, &page, &mut walk).await?;
    Ok(Json(AuditVerification {
        intact: followed.is_ok(),
        verified: walk.seq(),
        next_after: (followed == Ok(Followed::SoFar)).then(|| walk.seq()),
        head: (head.seq > 0).then(|| AuditHeadBody {
            seq: head.seq,
            hash: hex::encode(head.hash),
        }),
        fault: followed.err().map(AuditFault::from),
    }))
}

#[derive(Debug, PartialEq, Eq)]
enum Followed {
    ToTheEnd,
    SoFar,
}

/// The entry that a page begins behind was the last of the page before, and is taken at its word.
async fn follow(
    log: &mut AuditLog,
    head: &AuditHead,
    page: &Page,
    walk: &mut ChainWalk,
) -> Result<Result<Followed, ChainFault>, StoreError> {
    if page.after > 0 {
        match log.follow(page.after.saturating_sub(1), 1).await?.pop() {
            Some(entry) if entry.seq == page.after => {
                *walk = ChainWalk::behind(entry.seq, entry.hash)
            }
            _ => return Ok(Err(ChainFault::Missing { seq: page.after })),
        }
    }
    let last = page.after.saturating_add(page.limit);
    loop {
        let left = last.saturating_sub(walk.seq());
        if left <= 0 && walk.seq() < head.seq {
            return Ok(Ok(Followed::SoFar));
        }
        // Behind the last one, what does not belong there is looked for.
        let entries = log.follow(walk.seq(), left.clamp(1, READ_AT_ONCE)).await?;
        if entries.is_empty() {
            let end = walk.end(head.seq, &head.hash);
            return Ok(end.map(|()| Followed::ToTheEnd));
        }
        for entry in entries {
            if let Err(fault) = walk.step(entry.seq, &entry.hash, &entry.content) {
                return Ok(Err(fault));
            }
        }
    }
}
