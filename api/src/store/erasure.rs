//! Erasing a tenant that the operator has deleted, bit by bit: any process goes on where another one stopped.
//!
//! Invariants: numbers are taken off the lists first, and nothing is erased before every region's limiters have heard of
//! it; what may stay is listed here, and every other table with a tenant in it is emptied, also one that is new. What
//! stays is the tenant's row without its name, its audit log (which is only added to) and its usage.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use super::time::to_db;
use super::{Store, StoreError, TenantTx};
use crate::domain::ids::{EntryId, TenantId};

const STAYS: [&str; 2] = ["audit_log", "usage_decisions"];
/// The name of a tenant that has none any more.
const NAMELESS: &str = "(deleted)";

/// A table, and those whose rows belong to rows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Table {
    name: String,
    children: BTreeSet<String>,
}

impl Store {
    /// Tenants that are being deleted.
    pub async fn tenants_deleting(&self) -> Result<Vec<TenantId>, StoreError> {
        let mut tx = self
            .system("tenants that are being deleted are found here")
            .await?;
        let rows = sqlx::query!("select id from tenants where status = 'deleting' order by id")
            .fetch_all(tx.connection())
            .await?;
        tx.commit().await?;
        Ok(rows.into_iter().map(|row| TenantId(row.id)).collect())
    }

    /// Erases at most so many rows of one table; false: nothing is left but what stays.
    pub async fn tenant_erase_some(&self, tenant: TenantId, most: i64) -> Result<bool, StoreError> {
        let mut tx = self
            .system("whose rows are erased was deleted by the operator")
            .await?;
        for table in in_order(tx.tenant_tables().await?) {
            // Both names come out of the database's own catalogue, quoted by it.
            let statement = format!(
                "delete from {table} where ctid = any(array(select ctid from {table} where tenant_id = $1 limit $2))"
            );
            let erased = sqlx::query(AssertSqlSafe(statement))
                .bind(tenant.0)
                .bind(most)
                .execute(tx.connection())
                .await?;
            if erased.rows_affected() > 0 {
                tx.commit().await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The last step, once nothing is left to erase.
    pub async fn tenant_erased(&self, tenant: TenantId) -> Result<TenantTx, StoreError> {
        let mut tx = self.tenant(tenant).await?;
        sqlx::query!(
            "update tenants set name = $2, status = 'deleted' where id = $1 and status = 'deleting'",
            tenant.0,
            NAMELESS,
        )
        .execute(tx.connection())
        .await?;
        Ok(tx)
    }
}

impl super::SystemTx {
    async fn tenant_tables(&mut self) -> Result<Vec<Table>, StoreError> {
        let rows = sqlx::query!(
            r#"select quote_ident(c.table_name) as "name!",
                 array(
                     select k.conrelid::regclass::text from pg_constraint k
                     where k.contype = 'f' and k.confrelid = to_regclass(quote_ident(c.table_name))
                 ) as "children!: Vec<String>"
               from information_schema.columns c
               join pg_class r on r.oid = to_regclass(quote_ident(c.table_name)) and r.relkind = 'r'
               where c.table_schema = 'public' and c.column_name = 'tenant_id' and not c.table_name = any($1)
               order by c.table_name"#,
            &STAYS.map(str::to_owned),
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Table {
                name: row.name,
                children: row.children.into_iter().collect(),
            })
            .collect())
    }
}

/// Children before their parents. Tables in a circle come last, as they are: then the database refuses, and says why.
fn in_order(tables: Vec<Table>) -> Vec<String> {
    let mut ordered: Vec<String> = Vec::new();
    let mut rest = tables;
    loop {
        let waiting: BTreeSet<String> = rest.iter().map(|table| table.name.clone()).collect();
        let (ready, later): (Vec<Table>, Vec<Table>) = rest.into_iter().partition(|table| {
            let mut children = table.children.iter();
            children.all(|child| *child == table.name || !waiting.contains(child))
        });
        ordered.extend(ready.iter().map(|table| table.name.clone()));
        if later.is_empty() || ready.is_empty() {
            ordered.extend(later.into_iter().map(|table| table.name));
            return ordered;
        }
        rest = later;
    }
}

impl TenantTx {
    /// Whether anything is installed at one of the tenant's instances, or may be.
    pub async fn tenant_has_installations(&mut self) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let found = sqlx::query_scalar!(
            r#"select exists (
                   select from installations where tenant_id = $1 and state <> 'uninstalled'
               ) as "found!""#,
            tenant_id
        )
        .fetch_one(self.connection())
        .await?;
        Ok(found)
    }

    /// Nobody gets in with a key of the tenant any more.
    pub async fn api_keys_revoke_all(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update api_keys set revoked_at = $2 where tenant_id = $1 and revoked_at is null",
            tenant_id,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Takes at most so many numbers off the lists; how many it were.
    pub async fn listed_numbers_remove_some(
        &mut self,
        most: i64,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.listed_numbers_lock_existing().await?;
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query!(
            "select id from listed_numbers where tenant_id = $1 and removed_at is null limit $2",
            tenant_id,
            most,
        )
        .fetch_all(self.connection())
        .await?;
        let ids: Vec<EntryId> = rows.into_iter().map(|row| EntryId(row.id)).collect();
        if !ids.is_empty() {
            self.listed_numbers_remove(&ids, now).await?;
        }
        Ok(ids.len())
    }

    /// Whether limiters somewhere still go by an earlier state of the lists.
    pub async fn listed_numbers_unpublished(&mut self) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let found = sqlx::query_scalar!(
            r#"select exists (
                   select from number_publications p
                   join number_lists l on l.tenant_id = p.tenant_id
                   where p.tenant_id = $1 and p.published < l.revision
               ) as "found!""#,
            tenant_id
        )
        .fetch_one(self.connection())
        .await?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, children: &[&str]) -> Table {
        Table {
            name: name.to_owned(),
            children: children.iter().map(|child| (*child).to_owned()).collect(),
        }
    }

    #[test]
    fn children_are_emptied_before_their_parents() {
        let tables = vec![
            table("a", &["b", "c"]),
            table("b", &["c", "b"]),
            table("c", &["not-a-tenant-s"]),
        ];
        assert_eq!(in_order(tables), ["c", "b", "a"]);
        assert_eq!(
            in_order(vec![table("a", &["b"]), table("b", &["a"])]),
            ["a", "b"]
        );
    }
}
