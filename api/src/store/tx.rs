//! The pool and the two kinds of transaction.

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use super::StoreError;
use crate::domain::ids::TenantId;

const CONNECTIONS_MAX: u32 = 16;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// Connections of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    pub idle: u32,
    pub in_use: u32,
    pub max: u32,
}

/// The pool; clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// Connects when first used, so that a database that is down at the start is no reason to die.
    pub fn connect_lazily(database_url: &str) -> Result<Self, StoreError> {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy(database_url)?;
        Ok(Self { pool })
    }

    #[must_use]
    pub fn from_pool(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Brings the schema up to date; safe when several processes do it at once.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        Ok(sqlx::migrate!("../migrations").run(&self.pool).await?)
    }

    #[must_use]
    pub fn pool_use(&self) -> PoolUse {
        let open = self.pool.size();
        let idle = u32::try_from(self.pool.num_idle())
            .unwrap_or(u32::MAX)
            .min(open);
        PoolUse {
            idle,
            in_use: open - idle,
            max: self.pool.options().get_max_connections(),
        }
    }

    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query!("select 1 as one")
            .fetch_one(&self.pool)
            .await?;
        Ok(())
    }

    /// Whether the newest migration of this program has been applied.
    pub async fn is_migrated(&self) -> Result<bool, StoreError> {
        let wanted = sqlx::migrate!("../migrations")
            .iter()
            .map(|migration| migration.version)
            .max();
        let has_any: bool =
            sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
                .fetch_one(&self.pool)
                .await?;
        if !has_any {
            return Ok(false);
        }
        let found: Option<i64> =
            sqlx::query_scalar("select max(version) from _sqlx_migrations where success")
                .fetch_one(&self.pool)
                .await?;
        Ok(found >= wanted)
    }

    /// Everything in it belongs to one tenant.
    pub async fn tenant(&self, tenant_id: TenantId) -> Result<TenantTx, StoreError> {
        let tx = self.pool.begin().await?;
        Ok(TenantTx { tx, tenant_id })
    }

    /// As [`Store::tenant`], to read only: the same rows all along, whoever writes meanwhile.
    pub async fn tenant_frozen(&self, tenant_id: TenantId) -> Result<TenantTx, StoreError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query!("set transaction isolation level repeatable read, read only")
            .execute(&mut *tx)
            .await?;
        Ok(TenantTx { tx, tenant_id })
    }

    /// Crosses tenants; `reason` says why this may be.
    pub async fn system(&self, reason: &'static str) -> Result<SystemTx, StoreError> {
        tracing::trace!(reason, "system transaction");
        let tx = self.pool.begin().await?;
        Ok(SystemTx { tx })
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A transaction inside one tenant. Dropped without [`TenantTx::commit`] it leaves no trace.
#[derive(Debug)]
pub struct TenantTx {
    tx: Transaction<'static, Postgres>,
    tenant_id: TenantId,
}

impl TenantTx {
    #[must_use]
    pub fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }
}

/// A transaction of the operator or of a worker. Dropped without [`SystemTx::commit`] it leaves no trace.
#[derive(Debug)]
pub struct SystemTx {
    tx: Transaction<'static, Postgres>,
}

impl SystemTx {
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }
}
