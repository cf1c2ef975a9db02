//! The audit log, read: the rows of one chain, in its order.

use jiff::Timestamp;
use serde_json::Value;
use sqlx::types::time::OffsetDateTime;
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use super::time::from_db;
use super::{StoreError, SystemTx, TenantTx};

/// A sealed row.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// Counts the chain's rows from 1, without a gap.
    pub seq: i64,
    pub id: Uuid,
    pub at: Timestamp,
    pub actor: String,
    pub action: String,
    pub target: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub request_id: Option<String>,
    pub ip: Option<String>,
    /// SHA-256 of the hash before it and of `content`.
    pub hash: Vec<u8>,
    /// What of the row is hashed.
    pub content: String,
}

/// Which rows; what is absent asks nothing.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub actor: Option<String>,
    pub action: Option<String>,
    pub target: Option<String>,
}

/// Where a chain ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    pub seq: i64,
    pub hash: Vec<u8>,
}

struct Row {
    seq: i64,
    id: Uuid,
    at: OffsetDateTime,
    actor: String,
    action: String,
    target: String,
    before: Option<Value>,
    after: Option<Value>,
    request_id: Option<String>,
    ip: Option<String>,
    hash: Vec<u8>,
    content: String,
}

impl TryFrom<Row> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.seq,
            id: row.id,
            at: from_db(row.at)?,
            actor: row.actor,
            action: row.action,
            target: row.target,
            before: row.before,
            after: row.after,
            request_id: row.request_id,
            ip: row.ip,
            hash: row.hash,
            content: row.content,
        })
    }
}

/// A log that is read: a tenant's, or the operator's own of what concerns no tenant.
#[derive(Debug)]
pub struct AuditLog {
    tx: Transaction<'static, Postgres>,
    /// As the chains are told apart.
    chain: Uuid,
}

impl TenantTx {
    /// The tenant's log, in what was this transaction.
    #[must_use]
    pub fn into_audit_log(self) -> AuditLog {
        let chain = self.tenant_id().0;
        let tx = self.into_inner();
        AuditLog { tx, chain }
    }
}

impl SystemTx {
    /// The operator's log, in what was this transaction.
    #[must_use]
    pub fn into_audit_log(self) -> AuditLog {
        let (tx, chain) = (self.into_inner(), Uuid::nil());
        AuditLog { tx, chain }
    }
}

impl AuditLog {
    /// Newest first, below `before`.
    pub async fn list(
        &mut self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            r#"select seq as "seq!", id, at, actor, action, target, before, after, request_id, ip, hash as "hash!",
                      audit_content(audit_log) as "content!"
               from audit_log
               where coalesce(tenant_id, '00000000-0000-0000-0000-000000000000'::uuid) = $1
                 and seq is not null and ($2::bigint is null or seq < $2)
                 and ($3::text is null or actor = $3) and ($4::text is null or action = $4)
                 and ($5::text is null or target = $5)
               order by seq desc limit $6"#,
            self.chain,
            before,
            filter.actor,
            filter.action,
            filter.target,
            limit,
        )
        .fetch_all(&mut *self.tx)
        .await?;
        rows.into_iter().map(AuditEntry::try_from).collect()
    }

    /// Oldest first, above `after`.
    pub async fn follow(&mut self, after: i64, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            r#"select seq as "seq!", id, at, actor, action, target, before, after, request_id, ip, hash as "hash!",
                      audit_content(audit_log) as "content!"
               from audit_log
               where coalesce(tenant_id, '00000000-0000-0000-0000-000000000000'::uuid) = $1 and seq > $2
               order by seq limit $3"#,
            self.chain,
            after,
            limit,
        )
        .fetch_all(&mut *self.tx)
        .await?;
        rows.into_iter().map(AuditEntry::try_from).collect()
    }

    /// Absent where the log has no row.
    pub async fn head(&mut self) -> Result<Option<AuditHead>, StoreError> {
        let head = sqlx::query_as!(
            AuditHead,
            "select last_seq as seq, last_hash as hash from audit_chains where chain_id = $1",
            self.chain,
        )
        .fetch_optional(&mut *self.tx)
        .await?;
        Ok(head)
    }
}
