//! Every operation of the description × every kind of caller. An operation without a row in the table fails, and so does a
//! row without an operation.

use std::collections::BTreeSet;

use axum::http::Method;
use ringfence_api::auth::PERMISSIONS;
use sqlx::PgPool;

use crate::harness::{Answer, World};
use crate::operations::{Operation, operations};
use crate::scene::Scene;

mod credentials;
mod named_within;
mod table;

use table::Least::{self, Admin, Editor, Nobody, Operator as OperatorOnly, Person, Viewer};
use table::{ROWS, Row, known_row};

async fn ask(world: &World, operation: &Operation, path: &str, key: &str, row: &Row) -> Answer {
    let method = operation.method.clone();
    world.call(method, path, key, row.body.clone()).await
}

#[test]
fn every_operation_has_a_row_and_every_row_an_operation() {
    let described: BTreeSet<String> = operations().into_iter().map(|found| found.id).collect();
    let in_the_table: BTreeSet<String> = ROWS.keys().map(ToString::to_string).collect();
    assert_eq!(described, in_the_table);
}

#[test]
fn every_operation_states_its_permission_and_it_is_the_one_of_the_table() {
    for operation in operations() {
        let least = known_row(&operation).least;
        let stated = match operation.permission.as_deref() {
            None => Nobody,
            Some("any") => Viewer,
            Some("operator") => OperatorOnly,
            Some("person") => Person,
            Some(name) => {
                let known = PERMISSIONS.iter().find(|known| known.name == name);
                match known.expect("a permission").least.as_str() {
                    "viewer" => Viewer,
                    "editor" => Editor,
                    "admin" => Admin,
                    _ => Least::Owner,
                }
            }
        };
        assert_eq!(stated, least, "{}", operation.id);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_gets_in_without_a_credential_that_is_accepted(pool: PgPool) {
    let world = World::new(pool).await;
    let scene = Scene::build(&world, 1).await;
    for operation in operations() {
        let row = known_row(&operation);
        let path = scene.path(&operation);
        if row.least == Nobody {
            ask(&world, &operation, &path, "", &row)
                .await
                .ok(row.answer);
            continue;
        }
        for key in [
            "",
            "rf_live_wrong",
            "rf_op_wrong",
            "eyJhbGciOiJub25lIn0.e30.",
            "x",
        ] {
            let answer = ask(&world, &operation, &path, key, &row).await;
            assert_eq!(answer.status, 401, "{} with {key:?}", operation.id);
            let answer = answer.problem(401, "unauthenticated");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            assert!(!scene.shows_in(&answer.text.replace(&path, "")));
        }
    }
}

/// Whatever has an effect gets a tenant of its own, so that every caller finds things as they were.
#[sqlx::test(migrations = "../migrations")]
async fn each_role_may_do_what_the_table_says_and_no_more(pool: PgPool) {
    let world = World::new(pool).await;
    let mut number = 1;
    let still = Scene::build(&world, number).await;
    for operation in operations() {
        let row = known_row(&operation);
        for role in [Viewer, Editor, Admin, Least::Owner] {
            let fresh = if operation.method != Method::GET && role >= row.least {
                number += 1;
                Some(Scene::build(&world, number).await)
            } else {
                None
            };
            let scene = fresh.as_ref().unwrap_or(&still);
            let key = match role {
                Viewer => &scene.cast.viewer,
                Editor => &scene.cast.editor,
                Admin => &scene.cast.admin,
                _ => &scene.cast.owner,
            };
            let answer = ask(&world, &operation, &scene.path(&operation), key, &row).await;
            let wanted = if role < row.least { 403 } else { row.answer };
            assert_eq!(
                answer.status, wanted,
                "{} as {role:?}: {}",
                operation.id, answer.text
            );
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn operators_may_do_everything_in_the_tenant_that_they_name(pool: PgPool) {
    let world = World::new(pool).await;
    let mut number = 1;
    for operation in operations() {
        let row = known_row(&operation);
        let mut scene = Scene::build(&world, number).await;
        number += 1;
        let path = scene.path(&operation);
        let named = ask(&world, &operation, &path, &world.operator, &row).await;
        let needs_tenant =
            !matches!(row.least, Nobody | OperatorOnly | Person) && operation.id != "me_get";
        let wanted = if needs_tenant { 400 } else { row.answer };
        assert_eq!(named.status, wanted, "{}: {}", operation.id, named.text);
        if operation.method != Method::GET {
            scene = Scene::build(&world, number).await;
            number += 1;
        }
        let answer = world
            .call_with(
                operation.method.clone(),
                &scene.path(&operation),
                &world.operator,
                row.body.clone(),
                &[("ringfence-tenant", &scene.cast.id)],
            )
            .await;
        assert_eq!(
            answer.status, row.answer,
            "{}: {}",
            operation.id, answer.text
        );
        // Somebody else's word about whom they act for counts for nothing.
        let stranger = world.tenant("Stranger").await;
        if row.least != Nobody {
            let headers = [("ringfence-tenant", scene.cast.id.as_str())];
            let answer = world
                .call_with(
                    operation.method.clone(),
                    &scene.path(&operation),
                    &stranger.owner,
                    row.body.clone(),
                    &headers,
                )
                .await;
            assert_eq!(answer.status, 404, "{}: {}", operation.id, answer.text);
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_another_tenant_s_is_answered_like_what_does_not_exist(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let scene = Scene::build(&world, 1).await;
    let before = everything(&pool, &scene).await;
    for operation in operations() {
        let row = known_row(&operation);
        if matches!(row.least, Nobody | OperatorOnly) {
            continue;
        }
        // Every time a tenant that has nothing, so that all it could show would be the other's.
        let stranger = world.tenant("Stranger").await;
        let theirs = ask(
            &world,
            &operation,
            &scene.path(&operation),
            &stranger.admin,
            &row,
        )
        .await;
        assert!(
            !scene.shows_in(&theirs.text),
            "{}: {}",
            operation.id,
            theirs.text
        );
        if !operation.names_something() {
            assert_eq!(
                theirs.status, row.answer_elsewhere,
                "{}: {}",
                operation.id, theirs.text
            );
            continue;
        }
        let missing = scene.missing(&operation);
        let nobodys = ask(&world, &operation, &missing, &stranger.admin, &row).await;
        assert_eq!(theirs.status, 404, "{}: {}", operation.id, theirs.text);
        assert_eq!(constant(&theirs), constant(&nobodys), "{}", operation.id);
    }
    assert_eq!(
        everything(&pool, &scene).await,
        before,
        "something of it was changed"
    );
}

/// An answer byte for byte, without what differs between any two: the request's id, and how much may still be asked.
fn constant(answer: &Answer) -> (String, Vec<(String, String)>) {
    let id = answer.header("x-request-id");
    let headers = answer
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "ratelimit"))
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        });
    (answer.text.replace(id, "req"), headers.collect())
}

/// All rows of the scene's tenant, but for when its keys were last used.
async fn everything(pool: &PgPool, scene: &Scene) -> Vec<String> {
    let tenant: uuid::Uuid = scene
        .cast
        .id
        .parse::<ringfence_api::domain::ids::TenantId>()
        .expect("an id")
        .0;
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c
         join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
         where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1",
    )
    .fetch_all(pool)
    .await
    .expect("tables");
    let mut rows = Vec::new();
    for table in tables {
        let select = format!(
            "select '{table} ' || (to_jsonb(t) - 'last_used_at')::text from {table} t where tenant_id = $1 order by 1"
        );
        let found: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(select))
            .bind(tenant)
            .fetch_all(pool)
            .await
            .expect("rows");
        rows.extend(found);
    }
    rows
}

/// The type in the handler's signature is what is checked, so it has to be the one that the description is made from.
#[test]
fn the_description_states_the_permission_of_the_handler_s_signature() {
    let mut seen = 0;
    for (file, text) in handlers() {
        for part in text.split("#[utoipa::path(").skip(1) {
            let (about, rest) = part.split_once(")]\n").expect("the attribute ends");
            let signature = rest.split('{').next().unwrap_or_default();
            let stated = about
                .split_once("security((\"bearer\" = [")
                .and_then(|(_, rest)| rest.split_once("::NAME"))
                .map(|(name, _)| name.trim());
            let asked = signature
                .split_once("Caller<")
                .and_then(|(_, rest)| rest.split_once('>'))
                .map(|(name, _)| name);
            let asked = asked.or_else(|| {
                ["AnyCaller", "Operator", "Somebody"]
                    .into_iter()
                    .find(|name| signature.contains(&format!(": {name}")))
            });
            assert_eq!(stated, asked, "{file}: {signature}");
            // Exemptions and blocks have their operations written once, by a macro.
            let operations = if text.contains("macro_rules!") { 2 } else { 1 };
            seen += if asked.is_some() { operations } else { 0 };
        }
    }
    let described = operations();
    let closed = described
        .iter()
        .filter(|operation| operation.permission.is_some());
    assert!(seen >= closed.count());
}

fn handlers() -> Vec<(String, String)> {
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(&path).expect("text");
                found.push((path.display().to_string(), text));
            }
        }
    }
    found
}
