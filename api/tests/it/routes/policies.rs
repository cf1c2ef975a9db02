//! Policies: checked as a whole, kept in versions, never overwritten unseen.

use axum::http::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::harness::{ARN, Answer, NOW, World};
use crate::scene::arn;

const DEFAULT: &str = "/v1/policies/default";

fn at_most(max: u32) -> Value {
    json!({ "rules": [{
        "id": "customer-per-day", "name": "Calls to one customer", "per": ["customer"],
        "limit": { "kind": "sliding", "max": max, "window_seconds": 86400 },
    }] })
}

#[sqlx::test(migrations = "../migrations")]
async fn a_policy_with_six_wrong_fields_lists_six_pointers_and_stores_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let policy = json!({
        "mode": "sometimes",
        "default_country": "Freedonia",
        "colour": "red",
        "rules": [
            { "id": "Not An Id", "name": "a", "per": ["customer"], "limit": { "kind": "sliding", "max": 0, "window_seconds": 60 } },
            { "id": "b", "name": "b", "per": [], "limit": { "kind": "sliding", "max": 1, "window_seconds": 60 } },
        ],
    });
    let answer = world
        .put(DEFAULT, &cast.owner, policy.clone())
        .await
        .problem(422, "validation_failed");
    assert_eq!(
        answer.pointers(),
        [
            "/colour",
            "/default_country",
            "/mode",
            "/rules/0/id",
            "/rules/0/limit/max",
            "/rules/1/per"
        ]
    );
    let validated = world
        .post("/v1/policies/validate", &cast.viewer, policy)
        .await;
    assert_eq!(
        validated.problem(422, "validation_failed").pointers(),
        answer.pointers()
    );
    assert_eq!(
        world.get(DEFAULT, &cast.viewer).await.ok(200).body["version"],
        0
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn every_version_stays_as_it_was_put(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let first = world.put(DEFAULT, &cast.editor, at_most(3)).await.ok(200);
    assert_eq!(first.body["version"], 1);
    assert_eq!(first.header("etag"), "\"1\"");
    assert_eq!(first.body["created_at"], NOW);
    assert_eq!(first.text("/sentences/0/rule_id"), "customer-per-day");
    assert_eq!(first.body["policy"]["default_country"], "US");
    let second = world.put(DEFAULT, &cast.editor, at_most(4)).await.ok(200);
    assert_eq!(second.body["version"], 2);
    assert_eq!(second.body["id"], first.body["id"]);
    let versions = world
        .get("/v1/policies/default/versions", &cast.viewer)
        .await
        .ok(200);
    let list = versions.body["data"].as_array().expect("a list");
    assert_eq!(list.len(), 2);
    assert_eq!(list[0]["version"], 2);
    assert_eq!(list[1]["version"], 1);
    let old = world
        .get("/v1/policies/default/versions/1", &cast.viewer)
        .await
        .ok(200);
    assert_eq!(old.body["policy"], first.body["policy"]);
    world
        .get("/v1/policies/default/versions/3", &cast.viewer)
        .await
        .problem(404, "not_found");
}

#[sqlx::test(migrations = "../migrations")]
async fn who_has_not_seen_the_present_version_does_not_replace_it(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let with = async |etag: &str, max: u32| {
        let headers = [("if-match", etag)];
        world
            .call_with(
                Method::PUT,
                DEFAULT,
                &cast.owner,
                Some(at_most(max)),
                &headers,
            )
            .await
    };
    with("\"0\"", 1).await.ok(200);
    with("\"0\"", 2).await.problem(412, "stale_version");
    with("\"1\"", 3).await.ok(200);
    let now = world.get(DEFAULT, &cast.viewer).await.ok(200);
    assert_eq!(now.body["policy"]["rules"][0]["limit"]["max"], 3);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_instance_goes_by_its_own_policy_and_then_by_the_default_again(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let id = world.instance(&cast.owner, ARN).await;
    let (instance, path) = (
        format!("/v1/instances/{id}"),
        format!("/v1/instances/{id}/policy"),
    );
    world.put(DEFAULT, &cast.owner, at_most(3)).await.ok(200);
    assert_eq!(
        world.get(&path, &cast.viewer).await.ok(200).body["source"],
        "default"
    );
    world.put(&path, &cast.owner, at_most(9)).await.ok(200);
    let own = world.get(&path, &cast.viewer).await.ok(200);
    assert_eq!(own.body["source"], "own");
    assert_eq!(own.body["policy"]["rules"][0]["limit"]["max"], 9);
    assert_eq!(
        world.get(&instance, &cast.viewer).await.ok(200).body["policy"]["source"],
        "own"
    );
    world.delete(&path, &cast.owner).await.ok(204);
    world
        .delete(&path, &cast.owner)
        .await
        .problem(404, "not_found");
    let back = world.get(&path, &cast.viewer).await.ok(200);
    assert_eq!(back.body["source"], "default");
    // A policy put later goes on counting: its former versions stay what they were.
    let again = world.put(&path, &cast.owner, at_most(5)).await.ok(200);
    assert_eq!(again.body["version"], 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_tenant_s_policy_reaches_no_other_tenant(pool: PgPool) {
    let world = World::new(pool).await;
    let (one, other) = (world.tenant("One").await, world.tenant("Other").await);
    world.put(DEFAULT, &one.owner, at_most(3)).await.ok(200);
    let theirs = world.get(DEFAULT, &other.owner).await.ok(200);
    assert_eq!(theirs.body["source"], "none");
    assert!(theirs.body["id"].is_null());
    world
        .get("/v1/policies/default/versions/1", &other.owner)
        .await
        .problem(404, "not_found");
}

/// Actor, before, after, request id.
type Trace = (String, Option<Value>, Option<Value>, Option<String>);

#[sqlx::test(migrations = "../migrations")]
async fn a_change_leaves_its_trace_and_a_refused_one_none(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    world.put(DEFAULT, &cast.editor, at_most(3)).await.ok(200);
    world.put(DEFAULT, &cast.editor, at_most(4)).await.ok(200);
    world
        .put(DEFAULT, &cast.editor, json!({ "mode": 1 }))
        .await
        .problem(422, "validation_failed");
    let rows: Vec<Trace> = sqlx::query_as(
        "select actor, before, after, request_id from audit_log where action = 'policy.put' order by id",
    )
    .fetch_all(&pool)
    .await
    .expect("rows");
    assert_eq!(rows.len(), 2);
    let (actor, before, after, request_id) = &rows[1];
    assert!(actor.starts_with("api_key:key_"), "{actor}");
    assert_eq!(
        before.as_ref().map(|row| row["version"].clone()),
        Some(json!(1))
    );
    assert_eq!(
        after.as_ref().map(|row| row["version"].clone()),
        Some(json!(2))
    );
    assert!(request_id.as_ref().is_some_and(|id| id.starts_with("req_")));
}

#[sqlx::test(migrations = "../migrations")]
async fn an_older_version_is_put_in_force_again_as_the_next_one(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    for max in [3, 4] {
        world.put(DEFAULT, &cast.editor, at_most(max)).await.ok(200);
    }
    let path = "/v1/policies/default/roll-back";
    let back = async |etag: &str, key: &str| {
        let headers = [("if-match", etag), ("idempotency-key", key)];
        let wanted = Some(json!({ "version": 1 }));
        world
            .call_with(Method::POST, path, &cast.editor, wanted, &headers)
            .await
    };
    back("\"1\"", "a").await.problem(412, "stale_version");
    let third = back("\"2\"", "b").await.ok(200);
    assert_eq!(
        (&third.body["version"], third.header("etag")),
        (&3.into(), "\"3\"")
    );
    assert_eq!(third.body["policy"]["rules"][0]["limit"]["max"], 3);
    let again = back("\"2\"", "b").await.ok(200);
    assert_eq!(
        (again.header("idempotent-replayed"), &again.text),
        ("true", &third.text)
    );
    world
        .post(path, &cast.editor, json!({ "version": 9 }))
        .await
        .problem(404, "not_found");
    let log = world
        .get("/v1/audit-log?action=policy.roll_back", &cast.owner)
        .await
        .ok(200);
    assert_eq!(log.body["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(log.body["data"][0]["after"]["version"], 3);

    let diff = world
        .get("/v1/policies/default/diff?from=1&to=2", &cast.viewer)
        .await
        .ok(200)
        .body;
    assert_eq!(
        diff["changes"],
        json!([{ "rule_id": "customer-per-day", "pointer": "/limit/max", "before": 3, "after": 4 }])
    );
    assert_eq!(diff["sentences"][0]["rule_id"], "customer-per-day");
    let newest = world
        .get("/v1/policies/default/diff", &cast.viewer)
        .await
        .ok(200)
        .body;
    assert_eq!((&newest["from"], &newest["to"]), (&2.into(), &3.into()));
    let first = world
        .get("/v1/policies/default/diff?to=1", &cast.viewer)
        .await
        .ok(200)
        .body;
    assert_eq!(
        (&first["from"], &first["changes"][0]["before"]),
        (&0.into(), &Value::Null)
    );
    world
        .get("/v1/policies/default/diff?to=7", &cast.viewer)
        .await
        .problem(404, "not_found");
}

#[sqlx::test(migrations = "../migrations")]
async fn any_of_several_versions_may_be_replaced_and_a_weak_tag_names_none(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let with = async |etag: &str| {
        let headers = [("if-match", etag)];
        world
            .call_with(
                Method::PUT,
                DEFAULT,
                &cast.owner,
                Some(at_most(3)),
                &headers,
            )
            .await
    };
    with("\"7\", \"0\"").await.ok(200);
    with("W/\"1\"").await.problem(412, "stale_version");
    with("\"1\", \"other\"").await.ok(200);
    with("*").await.ok(200);
    with("3").await.problem(400, "malformed_request");
}

async fn put_if(world: &World, path: &str, key: &str, name: &str, value: &str) -> Answer {
    let body = Some(at_most(3));
    world
        .call_with(Method::PUT, path, key, body, &[(name, value)])
        .await
}

/// What an instance inherits is not its own, so there is nothing to be replaced.
#[sqlx::test(migrations = "../migrations")]
async fn a_first_policy_can_be_put_without_replacing_one_and_one_without_making_a_first(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let id = world.instance(&cast.owner, ARN).await;
    let own = format!("/v1/instances/{id}/policy");
    for path in [DEFAULT, &own] {
        let put = async |name: &str, value: &str| {
            let answer = put_if(&world, path, &cast.editor, name, value).await;
            answer.status.as_u16()
        };
        assert_eq!(put("if-match", "*").await, 412);
        assert_eq!(put("if-none-match", "\"0\"").await, 412);
        assert_eq!(put("if-none-match", "*").await, 200);
        assert_eq!(put("if-none-match", "*").await, 412);
        assert_eq!(put("if-match", "*").await, 200);
    }
    let removed = async |name: &str| {
        let headers = [(name, "*")];
        world
            .call_with(Method::DELETE, &own, &cast.editor, None, &headers)
            .await
    };
    removed("if-none-match").await.problem(412, "stale_version");
    removed("if-match").await.ok(204);
    // What is not there is not found, whatever is demanded of it.
    removed("if-match").await.problem(404, "not_found");
    let again = put_if(&world, &own, &cast.editor, "if-none-match", "*").await;
    again.ok(200);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_version_that_is_excluded_is_not_replaced(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    world.put(DEFAULT, &cast.owner, at_most(3)).await.ok(200);
    let put =
        async |value: &str| put_if(&world, DEFAULT, &cast.owner, "if-none-match", value).await;
    put("\"7\", W/\"1\"").await.problem(412, "stale_version");
    put("1").await.problem(400, "malformed_request");
    put("\"7\"").await.ok(200);
    let back = world
        .call_with(
            Method::POST,
            "/v1/policies/default/roll-back",
            &cast.owner,
            Some(json!({ "version": 1 })),
            &[("if-none-match", "*")],
        )
        .await;
    back.problem(412, "stale_version");
    // Its version stays while what it shows may change.
    let headers = [("if-none-match", "\"2\"")];
    let read = world
        .call_with(Method::GET, DEFAULT, &cast.owner, None, &headers)
        .await;
    assert_eq!(read.ok(200).body["version"], 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_document_that_says_something_twice_is_not_read(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let document = r#"{"rules":[{"id":"a","per":["customer"],"limit":{"kind":"sliding","max":3,"max":300,"window_seconds":60}}]}"#;
    let request = axum::http::Request::put(DEFAULT)
        .header("authorization", format!("Bearer {}", cast.owner))
        .header("content-type", "application/json")
        .body(axum::body::Body::from(document))
        .expect("a request");
    world.send(request).await.problem(400, "malformed_json");
    let presets = world.get("/v1/presets", &cast.viewer).await.ok(200).body;
    let rules = presets["data"]
        .as_array()
        .expect("presets")
        .iter()
        .flat_map(|preset| preset["rules"].as_array().cloned().unwrap_or_default());
    let policy = json!({ "rules": rules.collect::<Vec<Value>>() });
    world.put(DEFAULT, &cast.owner, policy).await.ok(200);
}

/// The database keeps no text with this character in it, neither in a value nor in a member's name.
#[sqlx::test(migrations = "../migrations")]
async fn a_policy_with_a_nul_in_it_is_refused_wherever_it_stands(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let agent = "arn:aws\u{0}:connect:us-east-1:1:instance/i/agent/a";
    let pointer = format!("/notices/agent_time_zones/{}", agent.replace('/', "~1"));
    let named =
        json!({ "rules": [], "notices": { "agent_time_zones": { agent: "America/New_York" } } });
    let refused = world
        .put("/v1/policies/default", &cast.editor, named)
        .await
        .problem(422, "validation_failed");
    assert_eq!(refused.pointers(), [pointer]);
    let rule = json!({ "id": "a", "name": "\u{0}", "per": ["customer"],
        "limit": { "kind": "sliding", "max": 1, "window_seconds": 60 } });
    let refused = world
        .put(
            "/v1/policies/default",
            &cast.editor,
            json!({ "rules": [rule] }),
        )
        .await
        .problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/rules/0/name"]);
}

/// What it needs, other limiters must not forget.
#[sqlx::test(migrations = "../migrations")]
async fn an_instance_s_own_tenant_wide_rule_is_made_known_at_the_tenant_s_other_instances(
    pool: PgPool,
) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let mut instances = Vec::new();
    for number in [1, 2] {
        let instance = world.instance(&cast.owner, &arn(number)).await;
        world.mark_verified(&cast, &instance).await;
        let mut tx = world
            .store
            .tenant(cast.id.parse().expect("an id"))
            .await
            .expect("a transaction");
        tx.publication_activate(instance.parse().expect("an id"), world.clock.now())
            .await
            .expect("active");
        tx.commit().await.expect("committed");
        instances.push(instance);
    }
    let own = format!("/v1/instances/{}/policy", instances[0]);
    let mut moved = Vec::new();
    for scope in ["instance", "tenant"] {
        let before = wanted(&pool).await;
        let mut policy = at_most(3);
        policy["rules"][0]["scope"] = json!(scope);
        world.put(&own, &cast.owner, policy).await.ok(200);
        let after = wanted(&pool).await;
        moved.push(
            before
                .iter()
                .zip(after)
                .filter(|(before, after)| **before < *after)
                .count(),
        );
    }
    assert_eq!(moved, [1, 2]);
}

async fn wanted(pool: &PgPool) -> Vec<i64> {
    sqlx::query_scalar("select wanted from publications order by instance_id")
        .fetch_all(pool)
        .await
        .expect("publications")
}
