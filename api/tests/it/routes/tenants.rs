//! Tenants, by operators.

use axum::http::Method;
use serde_json::json;
use sqlx::PgPool;

use crate::harness::{ARN, NOW, World};

#[sqlx::test(migrations = "../migrations")]
async fn a_tenant_is_made_read_listed_and_renamed(pool: PgPool) {
    let world = World::new(pool).await;
    let made = world
        .post(
            "/v1/tenants",
            &world.operator,
            json!({ "name": " Northwind " }),
        )
        .await
        .ok(201);
    assert_eq!(made.body["name"], "Northwind");
    assert_eq!(made.body["home_region"], "us-east-1");
    assert_eq!(made.body["status"], "active");
    assert_eq!(made.body["created_at"], NOW);
    let path = format!("/v1/tenants/{}", made.text("/id"));
    assert_eq!(
        world.get(&path, &world.operator).await.ok(200).body,
        made.body
    );
    let change = json!({ "name": "Northwind Traders" });
    let changed = world
        .call(Method::PATCH, &path, &world.operator, Some(change))
        .await
        .ok(200);
    assert_eq!(changed.body["name"], "Northwind Traders");
    assert_eq!(changed.body["status"], "active");
    let list = world.get("/v1/tenants", &world.operator).await.ok(200);
    assert_eq!(list.body["data"], json!([changed.body]));
}

#[sqlx::test(migrations = "../migrations")]
async fn every_wrong_field_is_named(pool: PgPool) {
    let world = World::new(pool).await;
    let body = json!({ "name": 5, "home_region": "x\u{0}", "colour": "red" });
    let answer = world
        .post("/v1/tenants", &world.operator, body)
        .await
        .problem(422, "validation_failed");
    assert_eq!(answer.pointers(), ["/colour", "/home_region", "/name"]);
    let answer = world
        .post(
            "/v1/tenants",
            &world.operator,
            json!({ "name": "x", "home_region": "mars-1" }),
        )
        .await;
    assert_eq!(
        answer.problem(422, "validation_failed").pointers(),
        ["/home_region"]
    );
    let answer = world
        .post("/v1/tenants", &world.operator, json!({}))
        .await
        .problem(422, "validation_failed");
    assert_eq!(answer.body["errors"][0]["code"], "missing");
}

/// Meters in a region without limiters would never be written, and every call would wait for them.
#[sqlx::test(migrations = "../migrations")]
async fn a_tenant_moves_only_to_a_region_that_has_limiters(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let path = format!("/v1/tenants/{}", cast.id);
    let move_to = async |region: &str| {
        let change = json!({ "name": "Moved", "home_region": region });
        let operator = &world.operator;
        world
            .call(Method::PATCH, &path, operator, Some(change))
            .await
    };
    for nowhere in ["mars-1", "us-west-2", "US-EAST-1"] {
        let refused = move_to(nowhere).await.problem(422, "validation_failed");
        assert_eq!(refused.pointers(), ["/home_region"], "{nowhere}");
        assert_eq!(
            refused.body["errors"][0]["detail"],
            "must be one of us-east-1, eu-west-2"
        );
    }
    let before = world.get(&path, &world.operator).await.ok(200);
    assert_eq!(
        (&before.body["home_region"], &before.body["name"]),
        (&json!("us-east-1"), &json!("Northwind")),
        "nothing of a refused change is done"
    );
    let moved = move_to("eu-west-2").await.ok(200);
    assert_eq!(moved.body["home_region"], "eu-west-2");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_suspended_tenant_reads_and_changes_nothing_until_it_is_resumed(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let path = format!("/v1/tenants/{}", cast.id);
    let set = async |status: &str| {
        let change = json!({ "status": status });
        world
            .call(Method::PATCH, &path, &world.operator, Some(change))
            .await
            .ok(200);
    };
    set("suspended").await;
    world.get("/v1/instances", &cast.owner).await.ok(200);
    world.get("/v1/api-keys", &cast.owner).await.ok(200);
    let body = json!({ "instance_arn": ARN });
    world
        .post("/v1/instances", &cast.owner, body.clone())
        .await
        .problem(403, "tenant_suspended");
    set("active").await;
    world.post("/v1/instances", &cast.owner, body).await.ok(201);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_list_goes_on_where_it_ended(pool: PgPool) {
    let world = World::new(pool).await;
    for number in 0..5 {
        world.pass(1);
        world.tenant(&format!("Tenant {number}")).await;
    }
    let mut names = Vec::new();
    let mut path = "/v1/tenants?limit=2".to_owned();
    loop {
        let page = world.get(&path, &world.operator).await.ok(200);
        for tenant in page.body["data"].as_array().expect("a list") {
            names.push(tenant["name"].as_str().expect("a name").to_owned());
        }
        match page.body["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/tenants?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(
        names,
        ["Tenant 0", "Tenant 1", "Tenant 2", "Tenant 3", "Tenant 4"]
    );
}
