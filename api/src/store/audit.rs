//! The audit log: who did what, written in the transaction that did it.

use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::time::to_db;
use super::{StoreError, SystemTx, TenantTx};
use crate::domain::ids::TenantId;

/// One change, told by whoever made it.
#[derive(Debug, Clone)]
pub struct Change {
    pub id: Uuid,
    pub at: Timestamp,
    /// `operator:opk_…`, `api_key:key_…`, `token:<subject>` or `worker`.
    pub actor: String,
    /// `instance.register`, `policy.put`, …
    pub action: &'static str,
    /// The id of what was changed.
    pub target: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub request_id: Option<String>,
    /// Where the request came from.
    pub ip: Option<IpAddr>,
}

impl Change {
    /// A change that no request asked for at this moment.
    #[must_use]
    pub fn by_worker(id: Uuid, at: Timestamp, action: &'static str, target: String) -> Self {
        Self {
            id,
            at,
            actor: "worker".to_owned(),
            action,
            target,
            before: None,
            after: None,
            request_id: None,
            ip: None,
        }
    }
}

impl TenantTx {
    pub async fn audit_append(&mut self, change: &Change) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id();
        append(self.connection(), Some(tenant_id), change).await
    }
}

impl SystemTx {
    pub async fn audit_append(
        &mut self,
        tenant: Option<TenantId>,
        change: &Change,
    ) -> Result<(), StoreError> {
        append(self.connection(), tenant, change).await
    }
}

async fn append(
    connection: &mut PgConnection,
    tenant: Option<TenantId>,
    change: &Change,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into audit_log (id, tenant_id, at, actor, action, target, before, after, request_id, ip)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        change.id,
        tenant.map(|tenant| tenant.0),
        to_db(change.at),
        change.actor,
        change.action,
        change.target,
        change.before,
        change.after,
        change.request_id,
        change.ip.map(|ip| ip.to_string()),
    )
    .execute(connection)
    .await?;
    Ok(())
}
