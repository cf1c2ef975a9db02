//! Who did what stands in a chain that cannot be changed unseen.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;

use crate::harness::{ARN, Cast, World};

async fn some_changes(world: &World) -> Cast {
    let cast = world.tenant("Northwind").await;
    world.instance(&cast.owner, ARN).await;
    for max in [3, 4] {
        let rule = json!({ "id": "day", "per": ["customer"],
            "limit": { "kind": "sliding", "max": max, "window_seconds": 86_400 } });
        world
            .put(
                "/v1/policies/default",
                &cast.editor,
                json!({ "rules": [rule] }),
            )
            .await;
    }
    cast
}

async fn entries(world: &World, cast: &Cast) -> Vec<Value> {
    let answer = world
        .get("/v1/audit-log?limit=100", &cast.admin)
        .await
        .ok(200);
    answer.body["data"].as_array().cloned().expect("entries")
}

async fn verification(world: &World, cast: &Cast) -> Value {
    world
        .get("/v1/audit-log/verify", &cast.admin)
        .await
        .ok(200)
        .body
}

/// What a thief with the database's own rights could do.
async fn tamper(pool: &PgPool, statements: &'static str) {
    let mut tx = pool.begin().await.expect("a transaction");
    for statement in ["disable", "", "enable"] {
        let statement = match statement {
            "" => sqlx::raw_sql(statements),
            "disable" => sqlx::raw_sql("alter table audit_log disable trigger audit_log_stays"),
            _ => sqlx::raw_sql("alter table audit_log enable trigger audit_log_stays"),
        };
        statement.execute(&mut *tx).await.expect(statements);
    }
    tx.commit().await.expect("committed");
}

#[sqlx::test(migrations = "../migrations")]
async fn every_change_is_told_with_who_before_and_after_and_from_where(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let headers = [("x-forwarded-for", "198.51.100.66, 203.0.113.7")];
    let policy = json!({ "rules": [] });
    let put = world
        .call_with(
            axum::http::Method::PUT,
            "/v1/policies/default",
            &cast.editor,
            Some(policy),
            &headers,
        )
        .await;
    assert!(put.status.is_success(), "{}", put.text);
    let newest = &entries(&world, &cast).await[0];
    assert_eq!(newest["action"], "policy.put", "{newest}");
    assert!(
        newest["actor"]
            .as_str()
            .expect("text")
            .starts_with("api_key:key_")
    );
    assert_eq!(newest["ip"], "203.0.113.7");
    assert_eq!(newest["request_id"], put.header("x-request-id"));
    assert!(newest["after"].is_object(), "{newest}");
}

#[sqlx::test(migrations = "../migrations")]
async fn the_log_is_listed_in_pages_and_filtered(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = some_changes(&world).await;
    let all = entries(&world, &cast).await;
    let seqs: Vec<i64> = all
        .iter()
        .map(|entry| entry["seq"].as_i64().expect("a number"))
        .collect();
    let expected: Vec<i64> = (1..=i64::try_from(all.len()).expect("few")).rev().collect();
    assert_eq!(seqs, expected);

    let first = world
        .get("/v1/audit-log?limit=2", &cast.admin)
        .await
        .ok(200);
    let cursor = first.text("/next_cursor");
    let second = world
        .get(
            &format!("/v1/audit-log?limit=2&cursor={cursor}"),
            &cast.admin,
        )
        .await
        .ok(200);
    assert_eq!(first.body["data"], json!(all[..2]));
    assert_eq!(second.body["data"], json!(all[2..4]));

    let puts = world
        .get("/v1/audit-log?action=policy.put", &cast.admin)
        .await
        .ok(200);
    assert_eq!(puts.body["data"].as_array().expect("entries").len(), 2);
    world
        .get("/v1/audit-log?actoin=policy.put", &cast.admin)
        .await
        .problem(400, "malformed_request");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_export_can_be_verified_by_anybody(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = some_changes(&world).await;
    let export = world.get("/v1/audit-log/export", &cast.admin).await.ok(200);
    assert_eq!(export.header("content-type"), "application/x-ndjson");
    let mut previous = Vec::new();
    let mut lines = 0;
    for line in export.text.lines() {
        let entry: Value = serde_json::from_str(line).expect("JSON");
        let content = entry["content"].as_str().expect("text");
        let hash = Sha256::new()
            .chain_update(&previous)
            .chain_update(content)
            .finalize();
        assert_eq!(entry["hash"], hex::encode(hash));
        let said: Value = serde_json::from_str(content).expect("JSON");
        for member in [
            "seq",
            "actor",
            "action",
            "target",
            "before",
            "after",
            "request_id",
            "ip",
        ] {
            assert_eq!(
                said[member],
                entry.get(member).cloned().unwrap_or_default(),
                "{member}"
            );
        }
        previous = hash.to_vec();
        lines += 1;
    }
    assert_eq!(lines, entries(&world, &cast).await.len());
    let verified = verification(&world, &cast).await;
    assert_eq!(
        verified["head"],
        json!({ "seq": lines, "hash": hex::encode(previous) })
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn verification_finds_a_changed_a_removed_and_a_reordered_entry(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let other = some_changes(&world).await;
    for (statement, seq, problem) in [
        (
            "update audit_log set actor = 'somebody' where tenant_id = $T and seq = 3",
            3,
            "changed",
        ),
        (
            "update audit_log set at = at - interval '1 hour' where tenant_id = $T and seq = 2",
            2,
            "changed",
        ),
        (
            "update audit_log set after = null where tenant_id = $T and seq = 6",
            6,
            "changed",
        ),
        (
            "delete from audit_log where tenant_id = $T and seq = 4",
            4,
            "missing",
        ),
        (
            "delete from audit_log where tenant_id = $T and seq = 1",
            1,
            "missing",
        ),
        (
            "delete from audit_log where tenant_id = $T and seq = (select max(seq) from audit_log where tenant_id = $T)",
            8,
            "missing",
        ),
        (
            "update audit_log set seq = 1000 where tenant_id = $T and seq = 2;
             update audit_log set seq = 2 where tenant_id = $T and seq = 3;
             update audit_log set seq = 3 where tenant_id = $T and seq = 1000",
            2,
            "changed",
        ),
    ] {
        let cast = some_changes(&world).await;
        assert_eq!(verification(&world, &cast).await["intact"], true);
        let id = format!("'{}'", uuid_of(&cast.id));
        let statement: &'static str = Box::leak(statement.replace("$T", &id).into_boxed_str());
        tamper(&pool, statement).await;
        let found = verification(&world, &cast).await;
        assert_eq!(found["intact"], false, "{statement}");
        assert_eq!(
            found["fault"],
            json!({ "seq": seq, "problem": problem }),
            "{statement}"
        );
    }
    assert_eq!(verification(&world, &other).await["intact"], true);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_log_is_only_added_to(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    some_changes(&world).await;
    for statement in ["update audit_log set actor = 'x'", "delete from audit_log"] {
        let err = sqlx::query(statement)
            .execute(&pool)
            .await
            .expect_err(statement);
        assert!(err.to_string().contains("only added to"), "{err}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn changes_at_the_same_time_make_one_chain(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let (world, cast) = (&world, &cast);
    let puts = (0..20).map(|number| async move {
        let body = json!({ "name": format!("key {number}"), "role": "viewer" });
        world.post("/v1/api-keys", &cast.admin, body).await.ok(201);
    });
    futures::future::join_all(puts).await;
    let verified = verification(world, cast).await;
    assert_eq!(verified["intact"], true, "{verified}");
    assert_eq!(verified["verified"], 25, "{verified}");
}

fn uuid_of(id: &str) -> uuid::Uuid {
    id.trim_start_matches("ten_").parse().expect("a UUID")
}

/// What concerns no tenant has a chain of its own, and is read, exported and checked like a tenant's.
#[sqlx::test(migrations = "../migrations")]
async fn operators_read_export_and_verify_the_log_of_what_concerns_no_tenant(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    some_changes(&world).await;
    let operator = &world.operator;
    let verify = async || {
        let path = "/v1/operator/audit-log/verify";
        world.get(path, operator).await.ok(200).body
    };
    assert_eq!(verify().await["verified"], 0, "nothing yet");
    let shard = format!("/v1/shards/{}", world.shard().await);
    for draining in [true, false, true] {
        let change = Some(json!({ "draining": draining }));
        let method = axum::http::Method::PATCH;
        world.call(method, &shard, operator, change).await.ok(200);
    }
    let list = async |query: &str| {
        let path = format!("/v1/operator/audit-log{query}");
        let answer = world.get(&path, operator).await.ok(200);
        answer.body["data"].as_array().cloned().expect("entries")
    };
    let all = list("").await;
    let seqs: Vec<&Value> = all.iter().map(|entry| &entry["seq"]).collect();
    assert_eq!(seqs, [3, 2, 1]);
    assert!(all.iter().all(|entry| entry["action"] == "shard.drain"));
    assert_eq!(list("?limit=1").await, all[..1]);
    assert!(list("?actor=worker").await.is_empty());
    let export = world.get("/v1/operator/audit-log/export", operator).await;
    let lines: Vec<Value> = export
        .ok(200)
        .text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let oldest_first: Vec<Value> = all.iter().rev().cloned().collect();
    assert_eq!(lines, oldest_first);
    let whole = verify().await;
    assert_eq!(
        (&whole["intact"], &whole["verified"]),
        (&json!(true), &json!(3))
    );
    assert_eq!(whole["head"]["hash"], all[0]["hash"]);
    tamper(
        &pool,
        "update audit_log set actor = 'nobody' where tenant_id is null and seq = 2",
    )
    .await;
    let broken = verify().await;
    assert_eq!(broken["fault"], json!({ "seq": 2, "problem": "changed" }));
}

/// As many requests as the log is long, each with one entry.
#[sqlx::test(migrations = "../migrations")]
async fn a_long_log_is_verified_page_by_page(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = some_changes(&world).await;
    let page = async |after: i64| {
        let path = format!("/v1/audit-log/verify?limit=1&after={after}");
        world.get(&path, &cast.admin).await.ok(200).body
    };
    let whole = verification(&world, &cast).await;
    let last = whole["verified"].as_i64().expect("a number");
    assert!(last > 3 && whole["next_after"].is_null(), "{whole}");
    let mut pages = 0;
    let mut next = Some(0);
    while let Some(after) = next {
        let found = page(after).await;
        assert_eq!(found["intact"], true, "{found}");
        assert_eq!(found["head"], whole["head"]);
        pages += 1;
        next = found["next_after"].as_i64();
        assert_eq!(found["verified"], after + 1);
    }
    assert_eq!(pages, last);
    assert_eq!(page(last + 1).await["fault"]["problem"], "missing");
    for wrong in ["after=-1", "after=x", "limit=0", "limit=100001"] {
        let path = format!("/v1/audit-log/verify?{wrong}");
        let answer = world.get(&path, &cast.admin).await;
        answer.problem(400, "malformed_request");
    }
    let changed = "update audit_log set action = 'nothing' where seq = 3";
    tamper(&pool, changed).await;
    let found: Vec<bool> = [page(0).await, page(1).await, page(2).await]
        .iter()
        .map(|page| page["intact"] == true)
        .collect();
    assert_eq!(found, [true, true, false]);
}
