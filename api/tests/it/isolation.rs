//! Row security, seen from a login that is like the application's: it owns nothing, and has no right of its own.
//!
//! The tables are listed from the catalog, so a table that is made later is tried like the others.

use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction};
use uuid::Uuid;

const OURS: Uuid = Uuid::from_u128(0x0189_0000_0000_7000_8000_0000_0000_000a);
const THEIRS: Uuid = Uuid::from_u128(0x0189_0000_0000_7000_8000_0000_0000_000b);
/// The server's word for a missing right, and for a row that the policies do not let in.
const REFUSED: &str = "42501";
/// Tables of no tenant that a tenant's transaction may read.
const SHARED: [&str; 0] = [];

/// A table with rows of tenants, and the column that says whose.
#[derive(Debug, sqlx::FromRow)]
struct TenantTable {
    name: String,
    owner_column: String,
}

async fn tenant_tables(pool: &PgPool) -> Vec<TenantTable> {
    let tables: Vec<TenantTable> = sqlx::query_as(
        "select c.relname::text as name, a.attname::text as owner_column
         from pg_class c join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
             and (a.attname = 'tenant_id' or (c.relname, a.attname) in (
                 ('tenants', 'id'), ('audit_chains', 'chain_id'), ('kept_answers', 'scope_id')))
         order by 1",
    )
    .fetch_all(pool)
    .await
    .expect("the catalog");
    assert!(tables.len() >= 20, "{tables:?}");
    tables
}

/// Name, roles, command, and the conditions for rows that are there and that are written.
type RowPolicy = (String, String, String, Option<String>, Option<String>);

#[sqlx::test(migrations = "../migrations")]
async fn every_table_with_rows_of_tenants_is_protected_and_the_owner_not_excepted(pool: PgPool) {
    for table in tenant_tables(&pool).await {
        let (enabled, forced): (bool, bool) = sqlx::query_as(
            "select relrowsecurity, relforcerowsecurity from pg_class where oid = to_regclass($1)",
        )
        .bind(&table.name)
        .fetch_one(&pool)
        .await
        .expect("the table");
        assert!(enabled && forced, "{} is not protected", table.name);
        let policies: Vec<RowPolicy> = sqlx::query_as(
            "select policyname::text, roles::text, cmd, qual, with_check from pg_policies
                 where schemaname = 'public' and tablename = $1 order by 1",
        )
        .bind(&table.name)
        .fetch_all(&pool)
        .await
        .expect("policies");
        let text = |text: &str| Some(text.to_owned());
        let own = format!("({} = current_tenant())", table.owner_column);
        let wanted = [
            ("all_rows", "{ringfence_system}", text("true")),
            ("own_rows", "{ringfence_tenant}", Some(own)),
        ]
        .map(|(name, role, rows)| {
            let (name, role, every) = (name.to_owned(), role.to_owned(), "ALL".to_owned());
            (name, role, every, rows.clone(), rows)
        });
        assert_eq!(policies, wanted, "{}", table.name);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_belongs_to_no_tenant_is_out_of_a_tenant_s_reach(pool: PgPool) {
    let reachable: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
             and not c.relrowsecurity
             and (has_any_column_privilege('ringfence_tenant', c.oid, 'select, insert, update, references')
                 or has_table_privilege('ringfence_tenant', c.oid, 'delete, truncate, trigger'))
         order by 1",
    )
    .fetch_all(&pool)
    .await
    .expect("the catalog");
    assert_eq!(reachable, SHARED.map(str::to_owned));
}

#[sqlx::test(migrations = "../migrations")]
async fn the_application_s_roles_own_nothing_and_can_neither_log_in_nor_evade_the_policies(
    pool: PgPool,
) {
    let strong: Vec<String> = sqlx::query_scalar(
        "select rolname::text from pg_roles
         where rolname in ('ringfence_tenant', 'ringfence_system')
             and (rolsuper or rolbypassrls or rolcanlogin or rolcreaterole or rolcreatedb or rolreplication)",
    )
    .fetch_all(&pool)
    .await
    .expect("roles");
    assert!(strong.is_empty(), "{strong:?}");
    let owned: i64 = sqlx::query_scalar(
        "select count(*) from pg_shdepend d join pg_roles r on r.oid = d.refobjid
         where d.deptype = 'o' and r.rolname in ('ringfence_tenant', 'ringfence_system')",
    )
    .fetch_one(&pool)
    .await
    .expect("dependencies");
    assert_eq!(owned, 0);
    let may_make: bool = sqlx::query_scalar(
        "select has_schema_privilege('ringfence_tenant', 'public', 'create')
             or has_schema_privilege('ringfence_system', 'public', 'create')",
    )
    .fetch_one(&pool)
    .await
    .expect("an answer");
    assert!(!may_make);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_login_reads_nothing_before_it_has_taken_a_role(pool: PgPool) {
    let app = application(&pool).await;
    for table in tenant_tables(&pool).await {
        let refused = sqlx::query(AssertSqlSafe(format!("select from {}", table.name)))
            .execute(&app)
            .await;
        assert_eq!(code_of(refused), REFUSED, "{}", table.name);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn without_a_tenant_there_are_no_rows(pool: PgPool) {
    fill(&pool).await;
    let app = application(&pool).await;
    for table in tenant_tables(&pool).await {
        for tenant in ["", "01890000-0000-7000-8000-00000000000c"] {
            let mut tx = inside(&app, tenant).await;
            assert_eq!(rows(&mut tx, &table.name).await, 0, "{}", table.name);
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn another_tenant_s_rows_can_be_neither_read_changed_removed_made_nor_moved(pool: PgPool) {
    fill(&pool).await;
    let app = application(&pool).await;
    for table in tenant_tables(&pool).await {
        let TenantTable { name, owner_column } = &table;
        let mut tx = inside(&app, &OURS.to_string()).await;
        assert_eq!(rows(&mut tx, name).await, 1, "{name}: one's own is there");
        drop(tx);
        let harmless = [
            format!(
                "update {name} set {owner_column} = {owner_column} where {owner_column} = '{THEIRS}'"
            ),
            format!("delete from {name} where {owner_column} = '{THEIRS}'"),
            // Also when it does not say whose.
            format!("delete from {name} where {owner_column} <> '{OURS}'"),
        ];
        for statement in harmless {
            let mut tx = inside(&app, &OURS.to_string()).await;
            match sqlx::query(AssertSqlSafe(statement.clone()))
                .execute(&mut *tx)
                .await
            {
                Ok(done) => assert_eq!(done.rows_affected(), 0, "{statement}"),
                refused => assert_eq!(code_of(refused), REFUSED, "{statement}"),
            }
        }
        let columns = columns(&pool, name).await;
        let copied: Vec<String> = columns
            .iter()
            .map(|column| match &column.name {
                name if name == owner_column => format!("'{THEIRS}'::uuid"),
                name => format!("\"{name}\""),
            })
            .collect();
        let refused = [
            format!("update {name} set {owner_column} = '{THEIRS}'"),
            format!(
                "insert into {name} ({}) select {} from {name}",
                names(&columns),
                copied.join(", ")
            ),
        ];
        for statement in refused {
            let mut tx = inside(&app, &OURS.to_string()).await;
            let outcome = sqlx::query(AssertSqlSafe(statement.clone()))
                .execute(&mut *tx)
                .await;
            assert_eq!(code_of(outcome), REFUSED, "{statement}");
        }
    }
}

/// A transaction as the store opens one inside a tenant.
async fn inside(app: &PgPool, tenant: &str) -> Transaction<'static, Postgres> {
    let mut tx = app.begin().await.expect("a transaction");
    sqlx::query("select set_config('role', 'ringfence_tenant', true), set_config('app.tenant_id', $1, true)")
        .bind(tenant)
        .execute(&mut *tx)
        .await
        .expect("the role");
    tx
}

async fn rows(tx: &mut Transaction<'static, Postgres>, table: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {table}")))
        .fetch_one(&mut **tx)
        .await
        .expect("a count")
}

fn code_of<T: std::fmt::Debug>(outcome: Result<T, sqlx::Error>) -> String {
    let err = outcome.expect_err("it is refused");
    let code = err.as_database_error().and_then(|err| err.code());
    code.unwrap_or_else(|| panic!("{err}")).into_owned()
}

/// A pool of a login with nothing but leave to take the two roles.
async fn application(pool: &PgPool) -> PgPool {
    let login: String = sqlx::query_scalar("select 'app_' || md5(current_database())")
        .fetch_one(pool)
        .await
        .expect("a name");
    // Left over where the server outlives a run.
    for statement in ["drop role if exists", "create role"] {
        let options = if statement == "create role" {
            "login noinherit"
        } else {
            ""
        };
        sqlx::query(AssertSqlSafe(format!("{statement} {login} {options}")))
            .execute(pool)
            .await
            .expect("a login");
    }
    sqlx::query("select let_take_roles($1::text::name)")
        .bind(&login)
        .execute(pool)
        .await
        .expect("leave");
    let options = pool.connect_options().as_ref().clone().username(&login);
    PgPoolOptions::new()
        .max_connections(2)
        .connect_with(options)
        .await
        .expect("a pool")
}

#[derive(Debug, sqlx::FromRow)]
struct Column {
    name: String,
    type_name: String,
}

async fn columns(pool: &PgPool, table: &str) -> Vec<Column> {
    sqlx::query_as(
        "select attname::text as name, format_type(atttypid, null) as type_name from pg_attribute
         where attrelid = to_regclass($1) and attnum > 0 and not attisdropped and attgenerated = ''
             and attidentity = ''
         order by attnum",
    )
    .bind(table)
    .fetch_all(pool)
    .await
    .expect("columns")
}

fn names(columns: &[Column]) -> String {
    let names: Vec<String> = columns
        .iter()
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    names.join(", ")
}

/// One row of each tenant in every table. What the rows say is nonsense: only whose they are is of interest, so neither
/// checks nor keys nor triggers are asked.
async fn fill(pool: &PgPool) {
    let checks: Vec<(String, String)> = sqlx::query_as(
        "select conrelid::regclass::text, conname::text from pg_constraint
         where connamespace = 'public'::regnamespace and contype = 'c'",
    )
    .fetch_all(pool)
    .await
    .expect("checks");
    let mut tx = pool.begin().await.expect("a transaction");
    for (table, name) in checks {
        let drop = format!("alter table {table} drop constraint {name}");
        sqlx::query(AssertSqlSafe(drop))
            .execute(&mut *tx)
            .await
            .expect("dropped");
    }
    sqlx::query("set local session_replication_role = replica")
        .execute(&mut *tx)
        .await
        .expect("set");
    for table in tenant_tables(pool).await {
        let columns = columns(pool, &table.name).await;
        for (tenant, digit) in [(OURS, 1), (THEIRS, 2)] {
            let values: Vec<String> = columns
                .iter()
                .map(|column| match &column.name {
                    name if *name == table.owner_column => format!("'{tenant}'"),
                    _ => value(&column.type_name, digit),
                })
                .collect();
            let insert = format!(
                "insert into {} ({}) values ({})",
                table.name,
                names(&columns),
                values.join(", ")
            );
            sqlx::query(AssertSqlSafe(insert.clone()))
                .execute(&mut *tx)
                .await
                .unwrap_or_else(|err| panic!("{insert}: {err}"));
        }
    }
    tx.commit().await.expect("committed");
}

fn value(type_name: &str, digit: u8) -> String {
    match type_name {
        "uuid" => format!("'01890000-0000-7000-8000-00000000000{digit}'"),
        "text" => format!("'{digit}'"),
        "text[]" => "'{}'".to_owned(),
        "bigint" | "integer" | "smallint" | "double precision" | "numeric" => digit.to_string(),
        "boolean" => "true".to_owned(),
        "jsonb" => format!("'{digit}'"),
        "bytea" => format!("'\\x0{digit}'"),
        "timestamp with time zone" => format!("timestamptz '2026-01-0{digit}'"),
        "date" => format!("date '2026-01-0{digit}'"),
        other => panic!("a value of the type {other} is not known here yet"),
    }
}
