//! The pool and the two kinds of transaction.
//!
//! The program's login has no rights of its own. A transaction begins by taking a role: inside a tenant, row security
//! confines it to the tenant in `app.tenant_id`, whatever its statements say; across tenants it lets every row through.
//! Both end with the transaction, so a connection goes back to the pool with neither.

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use super::StoreError;
use crate::domain::ids::TenantId;

const CONNECTIONS_MAX: u32 = 16;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// Shorter than requests may take, so that the statement of one that nobody waits for any more ends soon after it and gives
/// its connection back.
const STATEMENT_OF_REQUEST: Duration = Duration::from_secs(14);
/// Nobody waits for a worker; but a statement that never ends is one that nobody sees.
const STATEMENT_OF_WORKER: Duration = Duration::from_secs(300);

pub(super) const TENANT_ROLE: &str = "ringfence_tenant";
pub(super) const SYSTEM_ROLE: &str = "ringfence_system";

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
    /// PostgreSQL gives up a statement that takes longer.
    statement: Duration,
}

impl Store {
    /// Connects when first used, so that a database that is down at the start is no reason to die.
    pub fn connect_lazily(database_url: &str) -> Result<Self, StoreError> {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(|connection, _| Box::pin(must_take_changes(connection)))
            .connect_lazy(database_url)?;
        Ok(Self::from_pool(pool))
    }

    #[must_use]
    pub fn from_pool(pool: PgPool) -> Self {
        Self {
            pool,
            statement: STATEMENT_OF_REQUEST,
        }
    }

    /// The same connections, for statements that may take long.
    #[must_use]
    pub fn for_workers(self) -> Self {
        Self {
            statement: STATEMENT_OF_WORKER,
            ..self
        }
    }

    fn statement_ms(&self) -> String {
        self.statement.as_millis().to_string()
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

    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Everything in it belongs to one tenant.
    pub async fn tenant(&self, tenant_id: TenantId) -> Result<TenantTx, StoreError> {
        let mut tx = self.pool.begin().await?;
        take_tenant_role(&mut tx, tenant_id, self.statement_ms()).await?;
        Ok(TenantTx { tx, tenant_id })
    }

    /// As [`Store::tenant`], to read only: the same rows all along, whoever writes meanwhile.
    pub async fn tenant_frozen(&self, tenant_id: TenantId) -> Result<TenantTx, StoreError> {
        let begin = "begin isolation level repeatable read, read only";
        let mut tx = self.pool.begin_with(begin).await?;
        take_tenant_role(&mut tx, tenant_id, self.statement_ms()).await?;
        Ok(TenantTx { tx, tenant_id })
    }

    /// Crosses tenants; `reason` says why this may be.
    pub async fn system(&self, reason: &'static str) -> Result<SystemTx, StoreError> {
        tracing::trace!(reason, "system transaction");
        let mut tx = self.pool.begin().await?;
        take_system_role(&mut tx, self.statement_ms()).await?;
        Ok(SystemTx { tx })
    }

    /// As [`Store::system`], to read only: the same rows all along, whoever writes meanwhile.
    pub async fn system_frozen(&self, reason: &'static str) -> Result<SystemTx, StoreError> {
        tracing::trace!(reason, "system transaction");
        let begin = "begin isolation level repeatable read, read only";
        let mut tx = self.pool.begin_with(begin).await?;
        take_system_role(&mut tx, self.statement_ms()).await?;
        Ok(SystemTx { tx })
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// After a fail-over the address may lead to the former primary for a while, which is a standby now. A connection to it
/// would be kept, and fail at every change, long after the address is right again.
async fn must_take_changes(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let read_only: String = sqlx::query_scalar("show transaction_read_only")
        .fetch_one(connection)
        .await?;
    match read_only.as_str() {
        "off" => Ok(()),
        _ => Err(sqlx::Error::Configuration(
            "the server takes no changes".into(),
        )),
    }
}

async fn take_tenant_role(
    tx: &mut Transaction<'static, Postgres>,
    tenant_id: TenantId,
    statement_ms: String,
) -> Result<(), StoreError> {
    sqlx::query!(
        "select set_config('role', $1, true) as role, set_config('app.tenant_id', $2, true) as tenant,
             set_config('statement_timeout', $3, true) as statement",
        TENANT_ROLE,
        tenant_id.0.to_string(),
        statement_ms,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(())
}

async fn take_system_role(
    tx: &mut Transaction<'static, Postgres>,
    statement_ms: String,
) -> Result<(), StoreError> {
    sqlx::query!(
        "select set_config('role', $1, true) as role, set_config('statement_timeout', $2, true) as statement",
        SYSTEM_ROLE,
        statement_ms,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(())
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

    pub(super) fn into_inner(self) -> Transaction<'static, Postgres> {
        self.tx
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
    /// Waits until no other transaction is in here, and keeps others out until this one ends. Statements that follow see what
    /// those before committed. A process that falls silent in here is put out of it, and keeps others waiting no longer.
    pub(super) async fn alone_in(&mut self, what: &'static str) -> Result<(), StoreError> {
        sqlx::query!(
            "select set_config('lock_timeout', '10s', true) as lock,
                 set_config('idle_in_transaction_session_timeout', '30s', true) as idle"
        )
        .fetch_one(&mut *self.tx)
        .await?;
        sqlx::query!(
            "select pg_advisory_xact_lock(hashtextextended($1, 0))",
            what
        )
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    pub(super) fn into_inner(self) -> Transaction<'static, Postgres> {
        self.tx
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use sqlx::ConnectOptions as _;

    use super::*;

    async fn role(connection: &mut PgConnection) -> (String, String) {
        sqlx::query_as(
            "select current_user::text, coalesce(current_setting('app.tenant_id', true), '')",
        )
        .fetch_one(connection)
        .await
        .expect("an answer")
    }

    #[sqlx::test(migrations = "../migrations")]
    async fn a_transaction_takes_its_role_and_gives_the_connection_back_without_it(pool: PgPool) {
        let store = Store::from_pool(pool.clone());
        let (login, _) = role(&mut pool.acquire().await.expect("a connection")).await;
        let tenant = TenantId(uuid::Uuid::from_u128(7));
        let inside = ("ringfence_tenant".to_owned(), tenant.0.to_string());
        let mut tx = store.tenant(tenant).await.expect("a transaction");
        assert_eq!(role(tx.connection()).await, inside);
        tx.commit().await.expect("committed");
        let mut tx = store.tenant_frozen(tenant).await.expect("a transaction");
        assert_eq!(role(tx.connection()).await, inside);
        let written = sqlx::query("delete from instances")
            .execute(tx.connection())
            .await;
        assert!(written.is_err(), "it is to read only");
        drop(tx);
        let across = ("ringfence_system".to_owned(), String::new());
        let mut tx = store.system("test").await.expect("a transaction");
        assert_eq!(role(tx.connection()).await, across);
        tx.commit().await.expect("committed");
        let mut tx = store.system_frozen("test").await.expect("a transaction");
        assert_eq!(role(tx.connection()).await, across);
        let written = sqlx::query("delete from instances")
            .execute(tx.connection())
            .await;
        assert!(written.is_err(), "it is to read only");
        drop(tx);
        for _ in 0..pool.size() {
            let mut connection = pool.acquire().await.expect("a connection");
            assert_eq!(role(&mut connection).await, (login.clone(), String::new()));
        }
    }

    #[sqlx::test(migrations = "../migrations")]
    async fn a_statement_that_takes_longer_than_a_request_is_given_up_and_its_connection_free(
        pool: PgPool,
    ) {
        let (requests, workers) = ("14s", "5min");
        let store = Store::from_pool(pool.clone());
        let tenant = TenantId(uuid::Uuid::from_u128(7));
        for (store, within) in [
            (store.clone(), requests),
            (store.clone().for_workers(), workers),
        ] {
            let mut tx = store.tenant(tenant).await.expect("a transaction");
            assert_eq!(statement_timeout(tx.connection()).await, within);
            let mut tx = store.tenant_frozen(tenant).await.expect("a transaction");
            assert_eq!(statement_timeout(tx.connection()).await, within);
            let mut tx = store.system("test").await.expect("a transaction");
            assert_eq!(statement_timeout(tx.connection()).await, within);
            let mut tx = store.system_frozen("test").await.expect("a transaction");
            assert_eq!(statement_timeout(tx.connection()).await, within);
        }
        let hurried = Store {
            statement: Duration::from_millis(50),
            ..store
        };
        let mut tx = hurried.tenant(tenant).await.expect("a transaction");
        let given_up = sqlx::query("select pg_sleep(600)")
            .execute(tx.connection())
            .await
            .map_err(StoreError::from);
        assert!(
            matches!(given_up, Err(StoreError::TooSlow(_))),
            "{given_up:?}"
        );
        drop(tx);
        for _ in 0..pool.size() {
            let mut connection = pool.acquire().await.expect("a connection");
            assert_eq!(statement_timeout(&mut connection).await, "0");
        }
    }

    async fn statement_timeout(connection: &mut PgConnection) -> String {
        sqlx::query_scalar("select current_setting('statement_timeout')")
            .fetch_one(connection)
            .await
            .expect("an answer")
    }

    /// Of a database in the midst of a fail-over.
    #[sqlx::test(migrations = "../migrations")]
    async fn a_server_that_takes_no_changes_is_away(pool: PgPool) {
        let mut tx = Store::from_pool(pool.clone())
            .system("test")
            .await
            .expect("a transaction");
        let changed = sqlx::raw_sql("set transaction read only; delete from sessions")
            .execute(tx.connection())
            .await
            .map_err(StoreError::from);
        assert!(
            matches!(changed, Err(StoreError::Unavailable(_))),
            "{changed:?}"
        );
    }

    /// A former primary, and a server that does not know the login.
    #[sqlx::test(migrations = "../migrations")]
    async fn a_connection_that_takes_no_changes_is_not_kept(pool: PgPool) {
        let own = pool.connect_options().to_url_lossy();
        let mut standby = own.clone();
        standby
            .query_pairs_mut()
            .append_pair("options[default_transaction_read_only]", "on");
        let mut stranger = own;
        stranger
            .set_username("nobody_of_that_name")
            .expect("a login");
        for (what, url) in [("a standby", standby), ("a stranger", stranger)] {
            let store = Store::connect_lazily(url.as_str()).expect("a pool");
            let refused = store.system("test").await.map(|_| ());
            assert!(
                matches!(refused, Err(StoreError::Unavailable(_))),
                "{what}: {refused:?}"
            );
        }
    }
}
