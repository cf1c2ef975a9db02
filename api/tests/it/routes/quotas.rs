//! Quotas, usage, and the end of a tenant.

use axum::http::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::harness::{ARN, Cast, World};

async fn set(world: &World, cast: &Cast, quotas: Value) {
    let path = format!("/v1/tenants/{}/quotas", cast.id);
    world.put(&path, &world.operator, quotas).await.ok(200);
}

fn arn(number: usize) -> String {
    format!(
        "arn:aws:connect:us-east-1:111122223333:instance/5f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a{number:02}"
    )
}

/// Each: what is set to one, how it is taken, and how it is given back.
#[sqlx::test(migrations = "../migrations")]
async fn what_would_exceed_a_quota_is_refused_by_name_and_leaves_no_trace(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let number = |last: usize| json!({ "number": format!("+1206555010{last}"), "reason": "asked" });
    let webhook = json!({ "url": "https://hooks.example.com/", "events": ["call.denied"] });
    // The cast has four keys.
    let quotas = json!({ "instances": 1, "api_keys": 5, "webhooks": 1, "listed_numbers": 1 });
    set(&world, &cast, quotas).await;
    let takes = [
        (
            "instances",
            "/v1/instances",
            json!({ "instance_arn": arn(1) }),
            json!({ "instance_arn": arn(2) }),
        ),
        (
            "api_keys",
            "/v1/api-keys",
            json!({ "name": "one", "role": "viewer" }),
            json!({ "name": "two", "role": "viewer" }),
        ),
        ("webhooks", "/v1/webhooks", webhook.clone(), webhook),
        ("listed_numbers", "/v1/blocks", number(1), number(2)),
    ];
    for (quota, path, fits, exceeds) in takes {
        let first = world.post(path, &cast.owner, fits).await.ok(201);
        let before = world.get(path, &cast.owner).await.ok(200);
        let refused = world.post(path, &cast.owner, exceeds.clone()).await;
        let refused = refused.problem(409, "quota_exceeded");
        assert!(refused.text("/detail").contains(quota), "{}", refused.text);
        let after = world.get(path, &cast.owner).await.ok(200);
        assert_eq!(before.body, after.body, "{quota}");
        let id = first.text("/id");
        world
            .delete(&format!("{path}/{id}"), &cast.owner)
            .await
            .ok(204);
        world.post(path, &cast.owner, exceeds).await.ok(201);
    }
    let row = "number,reason\n+12065550103,asked\n";
    let request = axum::http::Request::post("/v1/exemptions/import")
        .header("authorization", format!("Bearer {}", cast.owner))
        .header("content-type", "text/csv")
        .body(axum::body::Body::from(row))
        .expect("a request");
    world.send(request).await.problem(409, "quota_exceeded");
}

/// Two requests at once, each with a view in which it fits.
#[sqlx::test(migrations = "../migrations")]
async fn the_last_place_of_a_quota_is_taken_once(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    set(&world, &cast, json!({ "webhooks": 3 })).await;
    let webhook = json!({ "url": "https://hooks.example.com/", "events": ["call.denied"] });
    let requests = (0..8).map(|_| world.post("/v1/webhooks", &cast.owner, webhook.clone()));
    let answers = futures::future::join_all(requests).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 3);
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        answer.problem(409, "quota_exceeded");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn quotas_are_the_operator_s_to_set_and_the_tenant_s_to_see(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let path = format!("/v1/tenants/{}/quotas", cast.id);
    world
        .put(&path, &cast.owner, json!({}))
        .await
        .problem(403, "forbidden");
    let wrong = json!({ "instances": -1, "api_keys": 1.5, "webhooks": "many", "colour": 1 });
    let wrong = world.put(&path, &world.operator, wrong).await;
    assert_eq!(
        wrong.problem(422, "validation_failed").pointers(),
        ["/api_keys", "/colour", "/instances", "/webhooks"]
    );
    let limit = async |quota: &str| {
        let quotas = world.get("/v1/quotas", &cast.viewer).await.ok(200);
        let quotas = quotas.body["data"].as_array().cloned().expect("a list");
        quotas
            .into_iter()
            .find(|state| state["quota"] == quota)
            .expect("each quota")
    };
    assert_eq!(
        limit("api_keys").await,
        json!({ "quota": "api_keys", "limit": 100, "used": 4 })
    );
    set(
        &world,
        &cast,
        json!({ "api_keys": "unlimited", "webhooks": 0 }),
    )
    .await;
    assert_eq!(limit("api_keys").await["limit"], Value::Null);
    assert_eq!(limit("webhooks").await["limit"], 0);
    set(&world, &cast, json!({ "api_keys": "default" })).await;
    assert_eq!(limit("api_keys").await["limit"], 100);
    assert_eq!(limit("webhooks").await["limit"], 0, "left as it was");
    let last_change = async || {
        let log = world.get("/v1/audit-log", &cast.owner).await.ok(200);
        let mut entries = log.body["data"]
            .as_array()
            .cloned()
            .expect("a list")
            .into_iter();
        let change = entries.find(|entry| entry["action"] == "tenant.set_quotas");
        let change = change.expect("a change of quotas");
        [&change["before"]["api_keys"], &change["after"]["api_keys"]].map(Value::clone)
    };
    assert_eq!(last_change().await, [json!("unlimited"), json!("default")]);
    set(&world, &cast, json!({ "api_keys": 100 })).await;
    let kept = [json!("default"), json!(100)];
    assert_eq!(
        last_change().await,
        kept,
        "what is the default's number stays where that changes"
    );
    set(&world, &cast, json!({ "api_keys": 100 })).await;
    assert_eq!(last_change().await, kept, "nothing was changed");
    let other = world.tenant("Other").await;
    let quotas = world.get("/v1/quotas", &other.viewer).await.ok(200);
    assert_eq!(quotas.body["data"][2]["limit"], 10, "{}", quotas.text);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_tenant_is_deleted_only_once_nothing_is_installed(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let instance = world.instance(&cast.owner, ARN).await;
    world.mark_verified(&cast, &instance).await;
    let installation = format!("/v1/instances/{instance}/installation");
    let wanted = json!({ "queues": "all" });
    let put = world.put(&installation, &cast.owner, wanted).await;
    assert!(put.status.is_success(), "{}", put.text);
    let path = format!("/v1/tenants/{}", cast.id);
    world
        .delete(&path, &world.operator)
        .await
        .problem(409, "installation_exists");
    world.get("/v1/me", &cast.owner).await.ok(200);
    sqlx::query("update installations set state = 'uninstalled'")
        .execute(&pool)
        .await
        .expect("uninstalled");
    let deleted = world.delete(&path, &world.operator).await.ok(202);
    assert_eq!(deleted.body["status"], "deleting");
    world
        .get("/v1/me", &cast.owner)
        .await
        .problem(401, "unauthenticated");
    let again = world.delete(&path, &world.operator).await;
    again.problem(409, "tenant_deleted");
    let name = json!({ "name": "Again" });
    world
        .call(Method::PATCH, &path, &world.operator, Some(name))
        .await
        .problem(409, "tenant_deleted");
    let key = json!({ "name": "one", "role": "viewer" });
    world
        .post(&format!("{path}/api-keys"), &world.operator, key.clone())
        .await
        .problem(409, "tenant_deleted");
    let acting = [("ringfence-tenant", cast.id.as_str())];
    world
        .call_with(
            Method::POST,
            "/v1/api-keys",
            &world.operator,
            Some(key),
            &acting,
        )
        .await
        .problem(409, "tenant_deleted");
}

/// A suspended tenant is told of by name, reads all it could read, and the operator still helps it.
#[sqlx::test(migrations = "../migrations")]
async fn suspension_stops_changes_by_the_tenant_alone(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let path = format!("/v1/tenants/{}", cast.id);
    let change = json!({ "status": "suspended" });
    world
        .call(Method::PATCH, &path, &world.operator, Some(change))
        .await
        .ok(200);
    for read in [
        "/v1/webhooks",
        "/v1/quotas",
        "/v1/usage",
        "/v1/decisions",
        "/v1/audit-log",
    ] {
        world.get(read, &cast.owner).await.ok(200);
    }
    let webhook = json!({ "url": "https://hooks.example.com/", "events": ["call.denied"] });
    world
        .post("/v1/webhooks", &cast.owner, webhook.clone())
        .await
        .problem(403, "tenant_suspended");
    let acting = [("ringfence-tenant", cast.id.as_str())];
    world
        .call_with(
            Method::POST,
            "/v1/webhooks",
            &world.operator,
            Some(webhook),
            &acting,
        )
        .await
        .ok(201);
    let wrong = json!({ "status": "deleted" });
    let wrong = world
        .call(Method::PATCH, &path, &world.operator, Some(wrong))
        .await;
    assert_eq!(
        wrong.problem(422, "validation_failed").pointers(),
        ["/status"]
    );
}
