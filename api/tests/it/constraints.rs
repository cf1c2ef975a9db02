//! The constraints of the database, listed from the database.

use std::collections::BTreeSet;

use ringfence_api::store::constraint_names;
use sqlx::PgPool;

/// What a constraint means is decided where it is made: told to callers under a name, or known to be a mistake of ours.
#[sqlx::test(migrations = "../migrations")]
async fn every_constraint_has_a_meaning_and_every_meaning_a_constraint(pool: PgPool) {
    let names: Vec<String> = sqlx::query_scalar(
        "select conname::text from pg_constraint
         where connamespace = 'public'::regnamespace and contype in ('p', 'u', 'f', 'c', 'x')
             and conrelid <> to_regclass('_sqlx_migrations')
         union
         select i.relname::text from pg_index x join pg_class i on i.oid = x.indexrelid
         where i.relnamespace = 'public'::regnamespace and x.indisunique
             and x.indrelid <> to_regclass('_sqlx_migrations')",
    )
    .fetch_all(&pool)
    .await
    .expect("the catalog");
    assert!(names.len() > 60, "{names:?}");
    let found: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let known: BTreeSet<&str> = constraint_names().collect();
    let unknown: Vec<&&str> = found.difference(&known).collect();
    assert!(
        unknown.is_empty(),
        "not in store/constraint.rs: {unknown:?}"
    );
    let gone: Vec<&&str> = known.difference(&found).collect();
    assert!(gone.is_empty(), "not in the database: {gone:?}");
    assert_eq!(
        constraint_names().count(),
        known.len(),
        "a name stands twice"
    );
}

/// One name, one constraint, or a violation could be taken for another; and none that the server made up.
#[sqlx::test(migrations = "../migrations")]
async fn every_constraint_has_a_name_of_its_own_that_somebody_chose(pool: PgPool) {
    let names: Vec<(String, String)> = sqlx::query_as(
        "select conrelid::regclass::text, conname::text from pg_constraint
         where connamespace = 'public'::regnamespace and contype <> 'n'
             and conrelid <> to_regclass('_sqlx_migrations')",
    )
    .fetch_all(&pool)
    .await
    .expect("the catalog");
    let distinct: BTreeSet<&String> = names.iter().map(|(_, name)| name).collect();
    assert_eq!(distinct.len(), names.len());
    for (table, name) in &names {
        let generated = name.starts_with(&format!("{table}_"))
            && (name.ends_with("_fkey") || name.ends_with("_check") || name.ends_with("_key"));
        assert!(!generated, "{table}.{name} has a generated name");
    }
}

/// Without it a tenant's row could point at another tenant's.
#[sqlx::test(migrations = "../migrations")]
async fn a_child_cannot_belong_to_another_tenant_than_its_parent(pool: PgPool) {
    let keys: Vec<(String, bool)> = sqlx::query_as(
        "select k.conname::text, (
             select coalesce(bool_or(c.attname = 'tenant_id' and p.attname = 'tenant_id'), false)
             from unnest(k.conkey, k.confkey) as pair (child, parent)
             join pg_attribute c on c.attrelid = k.conrelid and c.attnum = pair.child
             join pg_attribute p on p.attrelid = k.confrelid and p.attnum = pair.parent)
         from pg_constraint k
         where k.connamespace = 'public'::regnamespace and k.contype = 'f'
             and exists (select from pg_attribute where attrelid = k.conrelid and attname = 'tenant_id')
             and exists (select from pg_attribute where attrelid = k.confrelid and attname = 'tenant_id')",
    )
    .fetch_all(&pool)
    .await
    .expect("foreign keys");
    assert!(keys.len() >= 12, "{keys:?}");
    for (name, is_composite) in keys {
        assert!(is_composite, "{name} does not compare tenants");
    }
}
