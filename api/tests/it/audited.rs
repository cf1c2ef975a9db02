//! A change and its audit row are there together or not at all.

use std::collections::BTreeMap;

use axum::http::Method;
use ringfence_api::http::openapi;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};

use crate::harness::{Answer, World};
use crate::operations::{Operation, operations};
use crate::scene::Scene;

/// What each table holds. When a key was last used is written beside the request, and tells nothing of it.
async fn rows(pool: &PgPool) -> BTreeMap<String, String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'",
    )
    .fetch_all(pool)
    .await
    .expect("the catalog");
    let mut found = BTreeMap::new();
    for table in tables {
        let statement = format!(
            "select coalesce(md5(string_agg(row, '|' order by row)), '')
             from (select (to_jsonb(t) - 'last_used_at')::text as row from {table} t) as rows"
        );
        let held: String = sqlx::query_scalar(AssertSqlSafe(statement))
            .fetch_one(pool)
            .await
            .expect("rows");
        found.insert(table, held);
    }
    found
}

async fn statement(pool: &PgPool, statement: &'static str) {
    sqlx::query(statement).execute(pool).await.expect("done");
}

/// As the description shows it, by somebody who may.
async fn ask(world: &World, scene: &Scene, operation: &Operation, example: &Value) -> Answer {
    let key = match operation.permission.as_deref() {
        Some("operator") => &world.operator,
        _ => &scene.cast.owner,
    };
    let body = (!example.is_null()).then(|| example.clone());
    let path = scene.path(operation);
    world.call(operation.method.clone(), &path, key, body).await
}

#[sqlx::test(migrations = "../migrations")]
async fn nothing_is_changed_without_its_audit_row(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let document: Value = serde_json::from_str(&openapi::text()).expect("JSON");
    let (mut scenes, mut tried) = (0, 0);
    for operation in operations() {
        let method = operation.method.as_str().to_lowercase();
        let body = &document["paths"][&operation.path][method]["requestBody"];
        let example = &body["content"]["application/json"]["example"];
        let could_change = operation.method != Method::GET && operation.permission.is_some();
        // Limiter functions have ids of their own kind, and no tenant; their own tests try them.
        if !could_change || operation.resource() == "shards" {
            continue;
        }
        scenes += 1;
        let scene = Scene::build(&world, scenes).await;
        let before = rows(&pool).await;
        statement(
            &pool,
            "alter table audit_log add constraint none_more check (false) not valid",
        )
        .await;
        let without = ask(&world, &scene, &operation, example).await;
        statement(&pool, "alter table audit_log drop constraint none_more").await;
        let between = rows(&pool).await;
        assert_eq!(between, before, "{}", operation.id);
        let with = ask(&world, &scene, &operation, example).await;
        if !with.status.is_success() {
            continue;
        }
        let after = rows(&pool).await;
        let changed: Vec<&String> = after
            .iter()
            .filter(|(table, held)| between[*table] != **held)
            .map(|(table, _)| table)
            .collect();
        let is_audited = changed.iter().any(|table| *table == "audit_log");
        assert!(
            changed.is_empty() || is_audited,
            "{} changes {changed:?} and leaves no audit row",
            operation.id
        );
        if is_audited {
            tried += 1;
            assert_eq!(without.status, 500, "{}: {}", operation.id, without.text);
        }
    }
    assert!(tried >= 20, "{tried}");
}
