//! Every constraint and index has a name that somebody chose, so that its violation can be told from others.

use sqlx::PgPool;

#[sqlx::test(migrations = "../migrations")]
async fn every_constraint_is_named(pool: PgPool) {
    let names: Vec<(String, String)> = sqlx::query_as(
        "select conrelid::regclass::text, conname from pg_constraint
         where connamespace = 'public'::regnamespace and contype <> 'n' order by 1, 2",
    )
    .fetch_all(&pool)
    .await
    .expect("constraints");
    assert!(names.len() > 30, "{names:?}");
    for (table, name) in names {
        let generated = name.starts_with(&format!("{table}_"))
            && (name.ends_with("_fkey") || name.ends_with("_check") || name.ends_with("_key"));
        assert!(
            table == "_sqlx_migrations" || !generated,
            "{table}.{name} has a generated name"
        );
    }
}

/// Without it a tenant's row could point at another tenant's.
#[sqlx::test(migrations = "../migrations")]
async fn a_child_cannot_belong_to_another_tenant_than_its_parent(pool: PgPool) {
    let keys: Vec<(String, String)> = sqlx::query_as(
        "select conname, pg_get_constraintdef(oid) from pg_constraint
         where connamespace = 'public'::regnamespace and contype = 'f' and confrelid <> 'tenants'::regclass
             and confrelid <> 'shards'::regclass",
    )
    .fetch_all(&pool)
    .await
    .expect("foreign keys");
    assert!(keys.len() >= 8, "{keys:?}");
    for (name, definition) in keys {
        assert!(
            definition.starts_with("FOREIGN KEY (tenant_id, "),
            "{name}: {definition}"
        );
    }
}
