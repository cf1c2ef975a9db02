//! The schema and the login: brought up to date by the owner, looked at by everybody else.
//!
//! Invariant: the version before goes on serving while migrations run, so they only add (`api/tests/it/upgrades.rs`), and
//! none waits for a lock for long. An advisory lock lets one migrate at a time.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AssertSqlSafe, Connection as _};

use super::tx::{SYSTEM_ROLE, TENANT_ROLE};
use super::{Store, StoreError};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// How long a migration may wait for a table that others use, and how often it is begun anew. Whoever comes after it waits
/// behind it, so it does not wait long; tries of a minute in all get past everything but a transaction that hangs.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    pub lock_timeout: Duration,
    pub tries: u32,
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_secs(1),
            tries: 30,
            pause: Duration::from_secs(1),
        }
    }
}

/// What a database with this program's schema is to this program's login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fitness {
    Fit,
    /// The newest migration of this program has not been applied.
    SchemaTooOld,
    /// The login may not take the roles that transactions run as.
    RolesNotGranted,
    /// The login can read rows of tenants without taking a role, or make itself able to.
    LoginTooStrong,
}

impl Store {
    /// Brings the schema up to date; safe when several processes do it at once, and while the version before serves. A
    /// schema that is newer than this program stays as it is. The login must own the schema. `app_role` is the login of the
    /// other commands, which is given what it needs.
    pub async fn migrate(
        &self,
        app_role: Option<&str>,
        patience: Patience,
    ) -> Result<(), StoreError> {
        let mut tries = patience.tries;
        while let Err(err) = self.migrate_once(patience.lock_timeout).await {
            tries = tries.saturating_sub(1);
            if !waited_for_a_lock(&err) || tries == 0 {
                return Err(err.into());
            }
            tracing::info!(tries, "the tables are in use; trying again");
            tokio::time::sleep(patience.pause).await;
        }
        if let Some(app_role) = app_role {
            sqlx::query!("select let_take_roles($1::text::name)", app_role)
                .execute(self.pool())
                .await?;
        }
        Ok(())
    }

    /// On a connection of its own, as the advisory lock of a run that failed ends with its connection only.
    async fn migrate_once(&self, lock_timeout: Duration) -> Result<(), MigrateError> {
        let mut connection = self.pool().acquire().await?.detach();
        let limit = format!("set lock_timeout = {}", lock_timeout.as_millis());
        sqlx::query(AssertSqlSafe(limit))
            .execute(&mut connection)
            .await?;
        let mut migrations = Migrator::with_migrations(MIGRATIONS.iter().cloned().collect());
        migrations.set_ignore_missing(true);
        let done = migrations.run_direct(None, &mut connection, false).await;
        connection.close().await?;
        done
    }

    /// Asks the catalog only, as it must also answer where there is nothing else yet.
    pub async fn fitness(&self, any_login: bool) -> Result<Fitness, StoreError> {
        let roles = [TENANT_ROLE.to_owned(), SYSTEM_ROLE.to_owned()];
        let found = sqlx::query!(
            r#"select
                 coalesce((select has_table_privilege(r.oid, to_regclass('_sqlx_migrations'), 'select')
                           from pg_roles r where r.rolname = $1), false) as "has_roles!",
                 (select coalesce(bool_and(pg_has_role(session_user, r.oid, 'member')), false)
                  from pg_roles r where r.rolname = any($2)) as "may_take_roles!",
                 (select r.rolsuper or r.rolbypassrls from pg_roles r where r.rolname = session_user)
                 or exists (select from pg_class c
                            where c.relnamespace = to_regnamespace(current_schema()) and c.relkind in ('r', 'p')
                                and (pg_has_role(session_user, c.relowner, 'member')
                                    or has_table_privilege(session_user, c.oid, 'select'))) as "is_strong!""#,
            SYSTEM_ROLE,
            &roles,
        )
        .fetch_one(self.pool())
        .await?;
        if !found.has_roles {
            return Ok(Fitness::SchemaTooOld);
        }
        if !found.may_take_roles {
            return Ok(Fitness::RolesNotGranted);
        }
        if found.is_strong && !any_login {
            return Ok(Fitness::LoginTooStrong);
        }
        match self.is_migrated().await? {
            true => Ok(Fitness::Fit),
            false => Ok(Fitness::SchemaTooOld),
        }
    }

    async fn is_migrated(&self) -> Result<bool, StoreError> {
        let wanted = MIGRATIONS.iter().map(|migration| migration.version).max();
        let mut tx = self.system("the schema is everybody's").await?;
        let found: Option<i64> =
            sqlx::query_scalar("select max(version) from _sqlx_migrations where success")
                .fetch_one(tx.connection())
                .await?;
        Ok(found >= wanted)
    }
}

fn waited_for_a_lock(err: &MigrateError) -> bool {
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    let (MigrateError::Execute(err) | MigrateError::ExecuteMigration(err, _)) = err else {
        return false;
    };
    let code = err.as_database_error().and_then(|err| err.code());
    code.is_some_and(|code| code == LOCK_NOT_AVAILABLE)
}
