//! A change and its audit row are there together or not at all.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Method, Request};
use ringfence_api::http::openapi;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

use crate::browser::person;
use crate::harness::{Answer, World};
use crate::operations::{Operation, operations};
use crate::routes::sessions::member;
use crate::scene::Scene;

/// What the scene does not let succeed, and why. That each leaves its audit row is for its own tests to say.
const NOT_TRIED: [(&str, &str); 11] = [
    ("blocks_create", "the example's number is exempt"),
    ("blocks_import", "the example's number is exempt"),
    ("checks_create", "changes nothing"),
    (
        "exemptions_create",
        "the example's number is exempt already",
    ),
    ("instances_delete", "something is installed"),
    ("instances_verify", "no AWS answers"),
    ("invitations_accept", "only a person does it"),
    ("policies_replay", "changes nothing"),
    ("session_end", "only a person does it"),
    ("shard_moves_begin", "the example's instance is another's"),
    ("tenants_delete", "something is installed"),
];

const NONE_MORE: &str = "alter table audit_log add constraint none_more check (false) not valid";
const MORE: &str = "alter table audit_log drop constraint none_more";

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
async fn ask(world: &World, scene: &Scene, operation: &Operation, content: &Value) -> Answer {
    let key = match operation.permission.as_deref() {
        Some("operator") => &world.operator,
        _ => &scene.cast.owner,
    };
    let path = scene.path(operation);
    let example = |media: &str| &content[media]["example"];
    if let Value::String(csv) = example("text/csv") {
        let request = Request::builder()
            .method(operation.method.clone())
            .uri(path)
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "text/csv")
            .body(Body::from(csv.clone()));
        return world.send(request.expect("a request")).await;
    }
    let body = Some(example("application/json"))
        .filter(|example| !example.is_null())
        .cloned();
    world.call(operation.method.clone(), &path, key, body).await
}

#[sqlx::test(migrations = "../migrations")]
async fn nothing_is_changed_without_its_audit_row(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let document: Value = serde_json::from_str(&openapi::text()).expect("JSON");
    let (mut scenes, mut tried, mut not_tried) = (0, 0, Vec::new());
    for operation in operations() {
        let method = operation.method.as_str().to_lowercase();
        let content = &document["paths"][&operation.path][method]["requestBody"]["content"];
        let could_change = operation.method != Method::GET && operation.permission.is_some();
        // Limiter functions have ids of their own kind, and no tenant; their own tests try them.
        if !could_change || operation.resource() == "shards" {
            continue;
        }
        scenes += 1;
        let scene = Scene::build(&world, scenes).await;
        let before = rows(&pool).await;
        statement(&pool, NONE_MORE).await;
        let without = ask(&world, &scene, &operation, content).await;
        statement(&pool, MORE).await;
        let between = rows(&pool).await;
        assert_eq!(between, before, "{}", operation.id);
        let with = ask(&world, &scene, &operation, content).await;
        if !with.status.is_success() {
            not_tried.push(operation.id.clone());
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
    assert_eq!(not_tried, NOT_TRIED.map(|(operation, _)| operation));
}

/// A browser goes there, with no permission, and one of the two asks with GET.
#[sqlx::test(migrations = "../migrations")]
async fn nobody_is_signed_in_or_out_or_renamed_without_its_audit_rows(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool.clone(), &[]).await;
    let cast = world.tenant("Northwind").await;
    let mut ada = member(&world, &openid, "Ada", &[(&cast, "owner")]).await;
    let before = rows(&pool).await;
    let mut renamed = person("Ada");
    renamed["name"] = json!("Ada King");
    statement(&pool, NONE_MORE).await;
    let end = ada.sign_in(&openid, &renamed, "/auth/sign-in").await;
    assert_eq!(end.header("location"), "/?sign_in=unavailable");
    ada.call(Method::DELETE, "/v1/session", None)
        .await
        .problem(500, "internal");
    statement(&pool, MORE).await;
    assert_eq!(rows(&pool).await, before);
    let end = ada.sign_in(&openid, &renamed, "/auth/sign-in").await;
    assert_eq!(end.header("location"), "/");
    let told: Vec<String> = sqlx::query_scalar(
        "select action from audit_log where tenant_id is not null order by seq desc limit 3",
    )
    .fetch_all(&pool)
    .await
    .expect("rows");
    assert_eq!(told, ["member.update", "session.open", "session.end"]);
}
