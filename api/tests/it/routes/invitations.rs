//! Invitations: a link that works once, for a time, for whom it is meant.

use axum::http::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::sessions::member;
use crate::browser::{Browser, person};
use crate::harness::{Answer, World};

fn token(link: &str) -> String {
    link.split_once('#').expect("a token").1.to_owned()
}

async fn invite(world: &World, key: &str, body: Value) -> (String, String) {
    let made = world.post("/v1/invitations", key, body).await.ok(201);
    (made.text("/id"), token(&made.text("/link")))
}

async fn accept(browser: &Browser<'_>, token: &str) -> Answer {
    let body = Some(json!({ "token": token }));
    browser
        .call(Method::POST, "/v1/invitations/accept", body)
        .await
}

#[sqlx::test(migrations = "../migrations")]
async fn a_link_makes_one_person_a_member_with_the_role_it_was_made_for(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool.clone(), &[]).await;
    let cast = world.tenant("Northwind").await;
    let made = world
        .post("/v1/invitations", &cast.owner, json!({ "role": "editor" }))
        .await
        .ok(201);
    let link = made.text("/link");
    assert!(
        link.starts_with("https://ringfence.example/accept-invitation#rf_inv_"),
        "{link}"
    );
    let token = token(&link);
    for table in ["invitations", "audit_log"] {
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "select t::text from {table} t"
        )))
        .fetch_all(&pool)
        .await
        .expect("rows");
        assert!(
            !rows.is_empty() && rows.iter().all(|row| !row.contains(&token)),
            "{table}"
        );
    }
    let list = world.get("/v1/invitations", &cast.admin).await.ok(200);
    assert_eq!(list.body["data"].as_array().map(Vec::len), Some(1));
    assert!(!list.text.contains(&token));

    let (ada, ben) = (
        Browser::signed_in(&world, &openid, &person("Ada")).await,
        Browser::signed_in(&world, &openid, &person("Ben")).await,
    );
    let (one, other) = tokio::join!(accept(&ada, &token), accept(&ben, &token));
    let (joined, late) = if one.status == 200 {
        (one, other)
    } else {
        (other, one)
    };
    let joined = joined.ok(200);
    assert_eq!(joined.text("/tenant/name"), "Northwind");
    assert_eq!(joined.text("/role"), "editor");
    let never = accept(&ada, "rf_inv_never").await.problem(404, "not_found");
    let late = late.problem(404, "not_found");
    assert_eq!(late.without_request_id(), never.without_request_id());
    let members = world.get("/v1/members", &cast.viewer).await.ok(200);
    assert_eq!(members.body["data"].as_array().map(Vec::len), Some(1));
    let open = world.get("/v1/invitations", &cast.admin).await.ok(200);
    assert_eq!(open.body["data"], json!([]));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_has_expired_or_was_withdrawn_is_like_what_never_was(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let cast = world.tenant("Northwind").await;
    let ada = Browser::signed_in(&world, &openid, &person("Ada")).await;
    let (id, withdrawn) = invite(&world, &cast.owner, json!({ "role": "viewer" })).await;
    let path = format!("/v1/invitations/{id}");
    world.delete(&path, &cast.admin).await.ok(204);
    world
        .delete(&path, &cast.admin)
        .await
        .problem(404, "not_found");
    let log = "/v1/audit-log?action=invitation.withdraw";
    let log = world.get(log, &cast.admin).await.ok(200);
    assert_eq!(log.text("/data/0/before/role"), "viewer");
    accept(&ada, &withdrawn).await.problem(404, "not_found");

    let short = json!({ "role": "viewer", "expires_in_days": 1 });
    let (_, expired) = invite(&world, &cast.owner, short).await;
    world.pass(24 * 3600);
    let ada = Browser::signed_in(&world, &openid, &person("Ada")).await;
    accept(&ada, &expired).await.problem(404, "not_found");
    let open = world.get("/v1/invitations", &cast.admin).await.ok(200);
    assert_eq!(open.body["data"], json!([]));
}

#[sqlx::test(migrations = "../migrations")]
async fn an_invitation_for_an_address_is_for_whoever_proved_to_have_it(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let cast = world.tenant("Northwind").await;
    let body = json!({ "role": "admin", "email": "Ada@Example.com" });
    let (_, token) = invite(&world, &cast.owner, body).await;
    let mut unproved = person("Ada");
    unproved["sub"] = json!("an impostor");
    unproved["email_verified"] = json!(false);
    let mut without = person("Ada");
    without["sub"] = json!("somebody");
    without.as_object_mut().expect("an object").remove("email");
    for who in [person("Ben"), unproved, without] {
        let browser = Browser::signed_in(&world, &openid, &who).await;
        accept(&browser, &token).await.problem(403, "forbidden");
    }
    let ada = Browser::signed_in(&world, &openid, &person("Ada")).await;
    accept(&ada, &token).await.ok(200);
}

#[sqlx::test(migrations = "../migrations")]
async fn only_a_person_accepts_and_a_member_does_not_use_up_the_invitation(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let cast = world.tenant("Northwind").await;
    let (_, token) = invite(&world, &cast.owner, json!({ "role": "owner" })).await;
    let body = json!({ "token": token });
    for key in [&cast.owner, &world.operator] {
        world
            .post("/v1/invitations/accept", key, body.clone())
            .await
            .problem(403, "forbidden");
    }
    let ada = member(&world, &openid, "Ada", &[(&cast, "viewer")]).await;
    accept(&ada, &token).await.problem(409, "member_already");
    let ben = Browser::signed_in(&world, &openid, &person("Ben")).await;
    accept(&ben, &token).await.ok(200);
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_invites_to_more_than_they_have_and_every_fault_is_told(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let owner = json!({ "role": "owner" });
    world
        .post("/v1/invitations", &cast.admin, owner.clone())
        .await
        .problem(403, "forbidden");
    world
        .post("/v1/invitations", &cast.editor, owner)
        .await
        .problem(403, "forbidden");
    let wrong = json!({ "role": "god", "email": "ada", "expires_in_days": 31, "x": 1 });
    let faults = world.post("/v1/invitations", &cast.owner, wrong).await;
    let faults = faults.problem(422, "validation_failed");
    assert_eq!(
        faults.pointers(),
        ["/email", "/expires_in_days", "/role", "/x"]
    );
    // The first member of a tenant is invited by the operator.
    let headers = [("ringfence-tenant", cast.id.as_str())];
    let body = Some(json!({ "role": "owner" }));
    world
        .call_with(
            Method::POST,
            "/v1/invitations",
            &world.operator,
            body,
            &headers,
        )
        .await
        .ok(201);
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_withdraws_an_invitation_to_more_than_they_have(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let cast = world.tenant("Northwind").await;
    let (id, token) = invite(&world, &cast.owner, json!({ "role": "owner" })).await;
    let path = format!("/v1/invitations/{id}");
    world
        .delete(&path, &cast.admin)
        .await
        .problem(403, "forbidden");
    let ada = Browser::signed_in(&world, &openid, &person("Ada")).await;
    accept(&ada, &token).await.ok(200);
    let (id, _) = invite(&world, &cast.owner, json!({ "role": "owner" })).await;
    let path = format!("/v1/invitations/{id}");
    world.delete(&path, &cast.owner).await.ok(204);
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_joins_a_tenant_that_is_suspended(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let cast = world.tenant("Northwind").await;
    let (_, token) = invite(&world, &cast.owner, json!({ "role": "viewer" })).await;
    let path = format!("/v1/tenants/{}", cast.id);
    let suspend = async |status: &str| {
        let body = Some(json!({ "status": status }));
        world
            .call(Method::PATCH, &path, &world.operator, body)
            .await
            .ok(200);
    };
    suspend("suspended").await;
    let ada = Browser::signed_in(&world, &openid, &person("Ada")).await;
    assert_eq!(accept(&ada, &token).await.status, 403);
    suspend("active").await;
    accept(&ada, &token).await.ok(200);
}
