//! The schema and the login: brought up to date by the owner, looked at by everybody else.

use sqlx::migrate::Migrator;

use super::tx::{SYSTEM_ROLE, TENANT_ROLE};
use super::{Store, StoreError};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

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
    /// Brings the schema up to date; safe when several processes do it at once. The login must own the schema.
    /// `app_role` is the login of the other commands, which is given what it needs.
    pub async fn migrate(&self, app_role: Option<&str>) -> Result<(), StoreError> {
        MIGRATIONS.run(self.pool()).await?;
        if let Some(app_role) = app_role {
            sqlx::query!("select let_take_roles($1::text::name)", app_role)
                .execute(self.pool())
                .await?;
        }
        Ok(())
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
