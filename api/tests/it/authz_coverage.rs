//! Every operation of the description × every kind of caller. A new operation is covered without anybody thinking of it.

use axum::body::Body;
use axum::http::{Method, Request};
use ringfence_api::http::openapi;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::harness::{ARN, World};

/// Who may: the least role, or the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Least {
    Nobody,
    Viewer,
    Editor,
    Admin,
    Operator,
}

const OPEN: [&str; 3] = ["healthz", "readyz", "customer_template"];

/// An operation that is missing here fails the test.
fn least(operation: &str) -> Option<Least> {
    Some(match operation {
        id if OPEN.contains(&id) => Least::Nobody,
        "me_get" => Least::Viewer,
        "metrics"
        | "tenants_create"
        | "tenants_list"
        | "tenants_get"
        | "tenants_update"
        | "tenants_api_keys_create" => Least::Operator,
        "api_keys_create" | "api_keys_list" | "api_keys_revoke" => Least::Admin,
        "instances_register" | "instances_delete" | "instances_verify" => Least::Admin,
        "instances_list" | "instances_get" | "instances_queues_list" => Least::Viewer,
        "connections_list" | "connections_get" => Least::Viewer,
        "connections_rotate_external_id" => Least::Admin,
        "installation_get" => Least::Viewer,
        "installation_put" | "installation_delete" | "installation_reconcile" => Least::Editor,
        "policies_default_put" | "policies_own_put" | "policies_own_remove" => Least::Editor,
        "policies_default_get" | "policies_own_get" | "policies_validate" => Least::Viewer,
        "policies_default_versions" | "policies_own_versions" => Least::Viewer,
        "policies_default_version" | "policies_own_version" => Least::Viewer,
        "audit_log_list" | "audit_log_export" | "audit_log_verify" => Least::Admin,
        "decisions_list" | "decisions_get" => Least::Viewer,
        "exemptions_list" | "exemptions_get" | "blocks_list" | "blocks_get" => Least::Viewer,
        "exemptions_create" | "exemptions_remove" | "exemptions_import" => Least::Editor,
        "blocks_create" | "blocks_remove" | "blocks_import" => Least::Editor,
        _ => return None,
    })
}

struct Operation {
    id: String,
    method: Method,
    path: String,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&openapi::text()).expect("JSON");
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            found.push(Operation {
                id: operation["operationId"].as_str().expect("an id").to_owned(),
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
            });
        }
    }
    assert!(found.len() > 25);
    found
}

/// The path with ids that nothing has, of the right kinds.
fn missing(operation: &Operation) -> String {
    let prefix = match operation.path.split('/').nth(2) {
        Some("tenants") => "ten",
        Some("api-keys") => "key",
        Some("connections") => "con",
        Some("decisions") => "dec",
        Some("exemptions" | "blocks") => "ent",
        _ => "ins",
    };
    let id = format!("{prefix}_01890000000070008000000000000000");
    operation
        .path
        .replace("{id}", &id)
        .replace("{version}", "1")
}

fn needs_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_gets_in_without_a_credential_that_is_accepted(pool: PgPool) {
    let world = World::new(pool).await;
    for operation in operations() {
        let least =
            least(&operation.id).unwrap_or_else(|| panic!("{} is not in the table", operation.id));
        if least == Least::Nobody {
            continue;
        }
        let path = missing(&operation);
        for key in [
            "",
            "rf_live_wrong",
            "rf_op_wrong",
            "eyJhbGciOiJub25lIn0.e30.",
            "x",
        ] {
            let answer = world.call(operation.method.clone(), &path, key, None).await;
            assert_eq!(
                answer.status, 401,
                "{} with {key:?}: {}",
                operation.id, answer.text
            );
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn each_role_may_do_what_the_table_says_and_no_more(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let roles = [
        (Least::Viewer, &cast.viewer),
        (Least::Editor, &cast.editor),
        (Least::Admin, &cast.admin),
        (Least::Admin, &cast.owner),
    ];
    for operation in operations() {
        let least =
            least(&operation.id).unwrap_or_else(|| panic!("{} is not in the table", operation.id));
        for (role, key) in roles {
            let body = needs_body(&operation.method).then(|| json!({ "rubbish": true }));
            let answer = world
                .call(operation.method.clone(), &missing(&operation), key, body)
                .await;
            let refused = answer.status == 403;
            assert_eq!(
                refused,
                role < least,
                "{} as {role:?}: {}",
                operation.id,
                answer.text
            );
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_another_tenant_s_is_answered_like_what_does_not_exist(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.tenant("Northwind").await;
    let stranger = world.tenant("Stranger").await;
    let instance = world.instance(&owner.owner, ARN).await;
    world.mark_verified(&owner, &instance).await;
    let policy = json!({ "rules": [] });
    world
        .put(
            &format!("/v1/instances/{instance}/policy"),
            &owner.owner,
            policy,
        )
        .await
        .ok(200);
    let keys = world.get("/v1/api-keys", &owner.owner).await.ok(200);
    let key = keys.text("/data/0/id");
    let connections = world.get("/v1/connections", &owner.owner).await.ok(200);
    let connection = connections.text("/data/0/id");
    let listed = async |list: &str, number: &str| {
        let entry = json!({ "number": number, "reason": "asked" });
        let path = format!("/v1/{list}");
        let made = world.post(&path, &owner.editor, entry).await;
        made.ok(201).text("/id")
    };
    let exemption = listed("exemptions", "+12065550100").await;
    let block = listed("blocks", "+12065550101").await;
    for operation in operations() {
        let id = match operation.path.split('/').nth(2) {
            Some("instances") => &instance,
            Some("api-keys") => &key,
            Some("connections") => &connection,
            Some("exemptions") => &exemption,
            Some("blocks") => &block,
            _ => continue,
        };
        if !operation.path.contains("{id}") {
            continue;
        }
        let body = match operation.id.as_str() {
            "installation_put" => Some(json!({ "queues": "all" })),
            id if id.ends_with("_put") || id.ends_with("_verify") => Some(json!({})),
            _ => None,
        };
        let theirs = operation.path.replace("{id}", id).replace("{version}", "1");
        let theirs = world
            .call(
                operation.method.clone(),
                &theirs,
                &stranger.owner,
                body.clone(),
            )
            .await;
        let nobodys = world
            .call(
                operation.method.clone(),
                &missing(&operation),
                &stranger.owner,
                body,
            )
            .await;
        assert_eq!(theirs.status, 404, "{}: {}", operation.id, theirs.text);
        assert_eq!(
            theirs.without_request_id(),
            nobodys.without_request_id(),
            "{}",
            operation.id
        );
        let mut names: Vec<&str> = theirs.headers.keys().map(|name| name.as_str()).collect();
        let mut others: Vec<&str> = nobodys.headers.keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        others.sort_unstable();
        assert_eq!(names, others, "{}", operation.id);
    }
    // Still there for whom it belongs to.
    world
        .get(&format!("/v1/instances/{instance}"), &owner.viewer)
        .await
        .ok(200);
    world
        .get(&format!("/v1/blocks/{block}"), &owner.viewer)
        .await
        .ok(200);
}

/// Rubbish in every place where a caller can put some.
#[sqlx::test(migrations = "../migrations")]
async fn rubbish_never_makes_an_operation_fail_on_our_side(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let instance = world.instance(&cast.owner, ARN).await;
    world.mark_verified(&cast, &instance).await;
    let bodies: [&[u8]; 12] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\"text\"",
        b"1e999",
        b"{\"name\": \"\\u0000\", \"instance_arn\": \"\\u0000\", \"queues\": [\"\\u0000\"], \"rules\": [{\"id\": \"a\", \"name\": \"\\u0000\"}]}",
        b"{\"name\": 5, \"role\": [], \"expires_at\": {}, \"queues\": 7, \"rules\": {}, \"status\": null}",
        b"{\"name\": \"x\", \"name\": \"y\", \"status\": \"gone\", \"home_region\": \"mars\"}",
        b"\xff\xfe",
        b"{\"rules\": [[[[[[]]]]]], \"mode\": \"\xf0\x9f\x98\x80\"}",
        b"{\"name\": \"a\\u0000b\", \"role\": \"owner\"}",
    ];
    let queries = [
        "",
        "?limit=0",
        "?limit=-9223372036854775808",
        "?cursor=%00",
        "?cursor=AAAA",
        // Well-formed, but of a time that Postgres does not reach.
        "?cursor=LTM3NzcwNTAyMzIwMTAwMDAwMCBkZWNfMDE4OTAwMDAwMDAwNzAwMDgwMDAwMDAwMDAwMDAwMDA",
        "?x=%ff&y",
        "?limit=1&limit=2",
        "?rule_id=%00",
        "?outcome=x",
        "?instance_id=ten_1",
        "?number=%00",
        "?number=+",
    ];
    let ids = [
        "%00",
        "..%2f..",
        "ins_",
        "ins_01890000000070008000000000000000",
        instance.as_str(),
        "🙂",
    ];
    for operation in operations() {
        let key = match least(&operation.id) {
            Some(Least::Operator) => &world.operator,
            _ => &cast.owner,
        };
        for id in ids {
            let path = operation
                .path
                .replace("{id}", id)
                .replace("{version}", "9223372036854775807");
            let path: String = url_safe(&path);
            for query in queries {
                check(&world, key, &operation, &format!("{path}{query}"), b"").await;
            }
            // Asks AWS, which nobody answers for here.
            let asks_aws =
                operation.id == "instances_verify" || operation.id == "instances_queues_list";
            if needs_body(&operation.method) && !asks_aws {
                for body in bodies {
                    check(&world, key, &operation, &path, body).await;
                }
            }
        }
    }
}

fn url_safe(path: &str) -> String {
    path.replace('🙂', "%F0%9F%99%82")
}

async fn check(world: &World, key: &str, operation: &Operation, path: &str, body: &[u8]) {
    for if_match in ["", "\"1\"", "W/\"x\"", "\u{e9}"] {
        let mut request = Request::builder()
            .method(operation.method.clone())
            .uri(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {key}"));
        if !if_match.is_empty() {
            request = request.header("if-match", if_match);
        }
        let answer = world
            .send(request.body(Body::from(body.to_vec())).expect("a request"))
            .await;
        let status = answer.status.as_u16();
        // Unreachable AWS is told as such; everything else would be ours.
        assert!(
            status < 500 || status == 502,
            "{} {path} {body:?}: {}",
            operation.id,
            answer.text
        );
        if status >= 400 {
            assert_eq!(
                answer.header("content-type"),
                "application/problem+json",
                "{}",
                operation.id
            );
            assert_eq!(answer.text("/request_id"), answer.header("x-request-id"));
        }
    }
}
