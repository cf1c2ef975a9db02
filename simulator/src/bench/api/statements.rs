//! The statements that an answer cannot do without, alone: as `pgbench` would send them.

use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use sqlx::types::Uuid;
use sqlx::types::time::OffsetDateTime;

use super::super::{Result, failed};
use super::load::AT_ONCE;
use super::rows::Rows;
use super::scene::{Tenant, policy};

const READ_POLICY: &str = include_str!("read-policy.sql");
const LIST_DECISIONS: &str = include_str!("list-decisions.sql");
const PUT_VERSION: &str = include_str!("put-version.sql");
/// One more than a page, as the API asks, to know whether there is another.
const PAGE: i64 = 51;
/// Above all versions that requests make.
const FIRST_VERSION: i64 = 1 << 40;

/// Where a list goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) at: OffsetDateTime,
    pub(super) id: Uuid,
}

pub(super) struct Statements {
    /// One for each tenant, as a connection's role names the tenant.
    pools: Vec<PgPool>,
    tenants: Vec<Uuid>,
    policies: Vec<Uuid>,
    document: Value,
    now: OffsetDateTime,
    next_version: AtomicI64,
}

impl Statements {
    pub(super) async fn prepare(app_url: &str, rows: &Rows, tenants: &[Tenant]) -> Result<Self> {
        let mut pools = Vec::new();
        let mut policies = Vec::new();
        for tenant in tenants {
            pools.push(pool(app_url, tenant.id).await?);
            policies.push(rows.policy_of(tenant.id).await?);
        }
        Ok(Self {
            pools,
            tenants: tenants.iter().map(|tenant| tenant.id).collect(),
            policies,
            document: policy(),
            now: rows.newest().await?,
            next_version: AtomicI64::new(FIRST_VERSION),
        })
    }

    pub(super) async fn read_policy(&self, worker: usize) -> Result<()> {
        let read = sqlx::query(READ_POLICY)
            .bind(self.tenants[worker])
            .bind(None::<Uuid>)
            .fetch_optional(&self.pools[worker])
            .await;
        read.map_err(failed)?
            .map(drop)
            .ok_or_else(|| failed("no policy where one was put"))
    }

    /// A page of the first tenant's.
    pub(super) async fn list_decisions(
        &self,
        after: Option<Place>,
        outcome: Option<&str>,
    ) -> Result<()> {
        let page = sqlx::query(LIST_DECISIONS)
            .bind(self.tenants[0])
            .bind(None::<Uuid>)
            .bind(outcome)
            .bind(None::<String>)
            .bind(after.map(|place| place.at))
            .bind(after.map(|place| place.id))
            .bind(None::<OffsetDateTime>)
            .bind(None::<OffsetDateTime>)
            .bind(None::<String>)
            .bind(None::<String>)
            .bind(None::<String>)
            .bind(None::<String>)
            .bind(PAGE)
            .fetch_all(&self.pools[0])
            .await
            .map_err(failed)?;
        match page.len() {
            51 => Ok(()),
            other => Err(failed(format!("a page of {other} decisions"))),
        }
    }

    pub(super) async fn put_version(&self, worker: usize) -> Result<()> {
        sqlx::query(PUT_VERSION)
            .bind(self.tenants[worker])
            .bind(self.policies[worker])
            .bind(self.next_version.fetch_add(1, Ordering::Relaxed))
            .bind(&self.document)
            .bind(self.now)
            .bind("bench")
            .execute(&self.pools[worker])
            .await
            .map(drop)
            .map_err(failed)
    }
}

/// Connections that have taken the tenant's role for good.
async fn pool(app_url: &str, tenant: Uuid) -> Result<PgPool> {
    PgPoolOptions::new()
        .max_connections(u32::try_from(AT_ONCE).unwrap_or(u32::MAX))
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::query(
                    "select set_config('role', 'ringfence_tenant', false), set_config('app.tenant_id', $1, false)",
                )
                .bind(tenant.to_string())
                .execute(connection)
                .await
                .map(drop)
            })
        })
        .connect(app_url)
        .await
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(statement: &str) -> String {
        statement.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The program's prepared statements are kept in `.sqlx`, a file for each.
    #[test]
    fn the_statements_are_the_programs_own() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../.sqlx");
        let files = std::fs::read_dir(folder).expect("the folder .sqlx");
        let own: Vec<String> = files
            .map(|file| std::fs::read_to_string(file.expect("an entry").path()).expect("a file"))
            .map(|text| serde_json::from_str::<Value>(&text).expect("JSON"))
            .map(|prepared| words(prepared["query"].as_str().expect("a query")))
            .collect();
        for statement in [READ_POLICY, LIST_DECISIONS, PUT_VERSION] {
            let statement = words(statement);
            assert!(own.contains(&statement), "not the program's: {statement}");
        }
    }
}
