//! A new version beside the one before: migrations that run while it serves.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ringfence_api::store::{Patience, Store};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

use tokio::time::timeout;

use crate::running::{Running, key_for, migrated, program, run};
use crate::scene::arn;

/// The last migration from the time before anything was installed anywhere.
const LAST_BEFORE_USE: u32 = 31;
/// What would take something away from the version before, or keep it waiting.
const TAKEN_AWAY: [&str; 12] = [
    "drop table",
    "drop column",
    "drop function",
    "drop view",
    "drop type",
    "drop index",
    "drop policy",
    "rename",
    "set not null",
    "truncate",
    " type ",
    "revoke",
];
/// Stands in front of a statement that makes an index on a table in use, with the reason why that does not matter.
const WRITERS_WAIT: &str = "-- writers wait:";
/// Stands in front of a statement that takes something away which no version in use needs any more, and says so.
const CONTRACT: &str = "-- contract:";

const GIVES_UP_WITHIN: Duration = Duration::from_secs(20);

struct Migration {
    name: String,
    text: String,
}

fn migrations_in_use() -> Vec<Migration> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut found: Vec<Migration> = fs::read_dir(folder)
        .expect("the migrations")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .map(|path| Migration {
            name: path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned(),
            text: fs::read_to_string(&path).expect("readable"),
        })
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found.retain(|migration| migration.number() > LAST_BEFORE_USE);
    found
}

impl Migration {
    fn number(&self) -> u32 {
        let (number, _) = self.name.split_once('_').expect("NNNN_name.sql");
        number.parse().expect("a number")
    }

    /// Statements in lower case and on one line, without their comments; without those that say why they may.
    fn statements(&self) -> Vec<String> {
        let excused = |line: &str| line.starts_with(CONTRACT) || line.starts_with(WRITERS_WAIT);
        let statements = self
            .text
            .split(";\n")
            .filter(|statement| !statement.lines().any(excused));
        let bare = statements.map(|statement| {
            let lines = statement
                .lines()
                .map(|line| line.split("--").next().unwrap_or_default());
            let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
            format!("{} ", words.join(" ").to_lowercase())
        });
        bare.collect()
    }

    fn faults(&self) -> Vec<String> {
        let statements = self.statements();
        let makes = |table: &str| {
            let made = format!("create table {table} ");
            statements.iter().any(|statement| statement.contains(&made))
        };
        let mut faults = Vec::new();
        for statement in &statements {
            for taken in TAKEN_AWAY {
                if statement.contains(taken) && !statement.starts_with("create ") {
                    faults.push(format!("{}: {taken}: {statement}", self.name));
                }
            }
            for column in statement.split("add column ").skip(1) {
                let column = column.split(',').next().unwrap_or_default();
                if column.contains("not null") && !column.contains("default") {
                    faults.push(format!(
                        "{}: rows of the version before lack {column}",
                        self.name
                    ));
                }
            }
            let index = statement
                .strip_prefix("create index ")
                .or(statement.strip_prefix("create unique index "));
            let table = index.and_then(|index| index.split(" on ").nth(1)?.split(' ').next());
            if let Some(table) = table
                && !makes(table)
            {
                faults.push(format!(
                    "{}: nobody could write to {table} meanwhile",
                    self.name
                ));
            }
        }
        faults
    }
}

#[test]
fn migrations_take_nothing_away_from_the_version_before() {
    let faults: Vec<String> = migrations_in_use()
        .iter()
        .flat_map(Migration::faults)
        .collect();
    assert!(
        faults.is_empty(),
        "see migrations/README.md:\n{}",
        faults.join("\n")
    );
}

#[test]
fn what_takes_something_away_is_noticed() {
    let faulty = [
        "alter table tenants drop column name;\n",
        "alter table tenants rename column name to title;\n",
        "alter table tenants add column a text, add column b text not null;\n",
        "alter table tenants alter column name set not null;\n",
        "alter table tenants alter column name type varchar(7);\n",
        "create index slow on decisions (contact_id);\n",
        "-- why\ndrop table tenants;\n",
    ];
    let sound = [
        "alter table tenants add column a text, add column b text not null default '';\n",
        "create table t (a text not null);\ncreate index quick on t (a);\n",
        "-- writers wait: nobody minds\ncreate index slow on decisions (contact_id);\n",
        "-- contract: nothing reads it since 0.2\nalter table tenants drop column name;\n",
    ];
    let faults = |text: &str| {
        let migration = Migration {
            name: "0099_tried.sql".to_owned(),
            text: text.to_owned(),
        };
        migration.faults().len()
    };
    for text in faulty {
        assert_eq!(faults(text), 1, "{text}");
    }
    for text in sound {
        assert_eq!(faults(text), 0, "{text}");
    }
}

/// As a migration of the next version would leave the tables: each has one more column, and there is one more.
async fn migrate_ahead(pool: &PgPool) {
    let tables: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class
         where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> '_sqlx_migrations'",
    )
    .fetch_all(pool)
    .await
    .expect("the catalog");
    assert!(tables.len() > 30);
    let columns = tables.iter().map(|table| {
        format!("alter table {table} add column of_the_next_version text not null default 'new';")
    });
    let made = "create table of_the_next_version (tenant_id uuid not null, id uuid not null, primary key (tenant_id, id));
        select protect_tenant_table('of_the_next_version');
        insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (9999, 'next version', true, '\\x00', 1);";
    let statements: String = columns.chain([made.to_owned()]).collect();
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(pool)
        .await
        .expect("migrated");
}

/// The requests of a first day, by a program that runs all along.
async fn first_day(base: &str, operator: &str, name: &str, number: u32) {
    let http = reqwest::Client::new();
    let send = async |method: &str, path: &str, key: &str, body: Value| {
        let method = method.parse().expect("a method");
        let request = http
            .request(method, format!("{base}{path}"))
            .bearer_auth(key);
        let request = match body.is_null() {
            true => request,
            false => request.json(&body),
        };
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str::<Value>(&text).unwrap_or_default()
    };
    let tenant = send("POST", "/v1/tenants", operator, json!({ "name": name })).await;
    let tenant = tenant["id"].as_str().expect("an id");
    let keys = format!("/v1/tenants/{tenant}/api-keys");
    let key = send(
        "POST",
        &keys,
        operator,
        json!({ "name": "first", "role": "owner" }),
    )
    .await;
    let key = key["key"].as_str().expect("a key");
    let arn = arn(number);
    let rule = json!({
        "id": "repeat", "per": ["customer"], "limit": { "kind": "until_quiet", "block_at": 5, "quiet_seconds": 60 },
    });
    let number = json!({ "number": "+12065550100", "reason": "asked" });
    let hook = json!({ "url": "https://hooks.example.com/", "events": ["call.denied"] });
    send("POST", "/v1/instances", key, json!({ "instance_arn": arn })).await;
    send(
        "PUT",
        "/v1/policies/default",
        key,
        json!({ "rules": [rule] }),
    )
    .await;
    send("POST", "/v1/blocks", key, number).await;
    send("POST", "/v1/webhooks", key, hook).await;
    send("POST", "/v1/invitations", key, json!({ "role": "viewer" })).await;
    for path in [
        "instances",
        "connections",
        "policies/default",
        "blocks",
        "webhooks",
        "decisions",
        "usage",
        "quotas",
    ] {
        send("GET", &format!("/v1/{path}"), key, Value::Null).await;
    }
    let chain = send("GET", "/v1/audit-log/verify", key, Value::Null).await;
    assert_eq!(chain["intact"], true);
}

#[sqlx::test(migrations = false)]
async fn the_version_before_goes_on_serving_a_schema_that_is_a_migration_ahead(pool: PgPool) {
    migrated(&pool).await;
    let key = key_for(&pool).await;
    let mut serve = program(&pool);
    serve.args(["serve", "--with-workers"]);
    let running = Running::serve(serve).await;
    first_day(&running.base, &key, "before", 0).await;
    migrate_ahead(&pool).await;
    // With statements that it prepared before, and with others.
    first_day(&running.base, &key, "after", 1).await;
    let ready = reqwest::get(format!("{}/readyz", running.base)).await;
    assert_eq!(ready.expect("an answer").status().as_u16(), 200);
    let logs = running.stop().await;
    assert!(!logs.contains("\"level\":\"ERROR\""), "{logs}");

    // Its own `migrate`, as a roll-back would run it, leaves what it does not know.
    migrated(&pool).await;
    let newest: i64 = sqlx::query_scalar("select max(version) from _sqlx_migrations")
        .fetch_one(&pool)
        .await
        .expect("a version");
    assert_eq!(newest, 9999);
    let mut serve = program(&pool);
    serve.arg("serve");
    let running = Running::serve(serve).await;
    first_day(&running.base, &key, "later", 2).await;
    running.stop().await;
}

#[sqlx::test(migrations = false)]
async fn migrating_waits_for_no_lock_for_long_and_succeeds_once_it_is_free(pool: PgPool) {
    migrated(&pool).await;
    let store = Store::from_pool(pool.clone());
    let patience = Patience {
        lock_timeout: Duration::from_millis(50),
        tries: 2,
        pause: Duration::ZERO,
    };
    let mut busy = pool.begin().await.expect("a transaction");
    sqlx::query("lock table _sqlx_migrations in access exclusive mode")
        .execute(&mut *busy)
        .await
        .expect("locked");
    let err = timeout(GIVES_UP_WITHIN, store.migrate(None, patience))
        .await
        .expect("it gives up")
        .expect_err("the table is in use");
    let source = std::error::Error::source(&err).expect("a cause");
    assert!(source.to_string().contains("lock timeout"), "{source}");
    busy.rollback().await.expect("ended");
    store.migrate(None, patience).await.expect("migrated");
}

#[sqlx::test(migrations = false)]
async fn several_may_migrate_at_once(pool: PgPool) {
    let migrate = || {
        let mut migrate = program(&pool);
        migrate.arg("migrate");
        run(migrate)
    };
    let (one, other, third) = tokio::join!(migrate(), migrate(), migrate());
    for output in [one, other, third] {
        assert!(output.status.success(), "{output:?}");
    }
    let twice: i64 = sqlx::query_scalar(
        "select count(*) from (select version from _sqlx_migrations group by 1 having count(*) > 1) as twice",
    )
    .fetch_one(&pool)
    .await
    .expect("a count");
    assert_eq!(twice, 0);
}
