//! Rights that end while a request is on its way: what is withdrawn first wins, and what was done before is found by
//! whoever withdraws. Each test holds a lock by hand, so that the two are sure to meet.

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use serde_json::json;
use sqlx::{PgPool, Postgres, Transaction};
use tokio::net::TcpListener;

use super::sessions::member;
use crate::browser::Browser;
use crate::harness::{ARN, Answer, Cast, World, wait_until_blocked};

/// Does something outside of the program, and leaves it to be committed.
async fn begin(
    pool: &PgPool,
    statements: &'static [&'static str],
) -> Transaction<'static, Postgres> {
    let mut tx = pool.begin().await.expect("a transaction");
    for statement in statements {
        sqlx::query(*statement)
            .execute(&mut *tx)
            .await
            .expect(statement);
    }
    tx
}

async fn count(pool: &PgPool, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement)
        .fetch_one(pool)
        .await
        .expect("a count")
}

/// The request that came before the transaction was committed, and waited for it.
async fn overtaken(
    pool: &PgPool,
    by: Transaction<'static, Postgres>,
    request: impl Future<Output = Answer>,
) -> Answer {
    let commit = async {
        wait_until_blocked(pool, 1).await;
        by.commit().await.expect("committed");
    };
    tokio::join!(request, commit).0
}

async fn verified_instance(world: &World, cast: &Cast) -> String {
    let instance = world.instance(&cast.owner, ARN).await;
    world.mark_verified(cast, &instance).await;
    instance
}

/// As whoever deletes a tenant does it.
const DELETING: &[&str] = &[
    "select from tenants for update",
    "update tenants set status = 'deleting'",
];

#[sqlx::test(migrations = "../migrations")]
async fn nothing_is_installed_for_a_tenant_that_was_deleted_meanwhile(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let instance = verified_instance(&world, &cast).await;
    let path = format!("/v1/instances/{instance}/installation");
    for (key, status, code) in [
        (&cast.owner, 404, "not_found"),
        (&world.operator, 409, "tenant_deleted"),
    ] {
        let deletion = begin(&pool, DELETING).await;
        let headers = [("ringfence-tenant", cast.id.as_str())];
        let body = Some(json!({ "queues": "all" }));
        let put = world.call_with(Method::PUT, &path, key, body, &headers);
        overtaken(&pool, deletion, put).await.problem(status, code);
        assert_eq!(count(&pool, "select count(*) from installations").await, 0);
        begin(&pool, &["update tenants set status = 'active'"])
            .await
            .commit()
            .await
            .expect("as before");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_tenant_is_not_deleted_over_an_installation_that_is_on_its_way(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let instance = verified_instance(&world, &cast).await;
    let path = format!("/v1/instances/{instance}/installation");
    // The installation is stopped in the middle of its transaction.
    let held = begin(&pool, &["lock table installations"]).await;
    let put = world.put(&path, &cast.owner, json!({ "queues": "all" }));
    let delete = async {
        wait_until_blocked(&pool, 1).await;
        let path = format!("/v1/tenants/{}", cast.id);
        world.delete(&path, &world.operator).await
    };
    let release = async {
        wait_until_blocked(&pool, 2).await;
        held.rollback().await.expect("released");
    };
    let (put, delete, ()) = tokio::join!(put, delete, release);
    put.ok(202);
    delete.problem(409, "installation_exists");
}

#[sqlx::test(migrations = "../migrations")]
async fn no_key_is_made_by_the_operator_for_a_tenant_that_was_deleted_meanwhile(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let deletion = begin(&pool, DELETING).await;
    let path = format!("/v1/tenants/{}/api-keys", cast.id);
    let body = json!({ "name": "late", "role": "owner" });
    let made = world.post(&path, &world.operator, body);
    overtaken(&pool, deletion, made)
        .await
        .problem(409, "tenant_deleted");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_that_was_revoked_meanwhile_changes_nothing(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    // The tenant is held only to make the request wait after it has been recognised.
    let revocation = begin(
        &pool,
        &[
            "select from tenants for update",
            "update api_keys set revoked_at = created_at",
        ],
    )
    .await;
    let number = json!({ "number": "+12065550100", "reason": "asked" });
    let post = world.post("/v1/blocks", &cast.editor, number);
    overtaken(&pool, revocation, post)
        .await
        .problem(401, "unauthenticated");
    assert_eq!(count(&pool, "select count(*) from listed_numbers").await, 0);
}

async fn invite(admin: &Browser<'_>) -> Answer {
    let role = Some(json!({ "role": "admin" }));
    admin.call(Method::POST, "/v1/invitations", role).await
}

#[sqlx::test(migrations = "../migrations")]
async fn whoever_was_given_less_or_was_removed_meanwhile_invites_nobody(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool.clone(), &[]).await;
    let cast = world.tenant("Northwind").await;
    for (withdraw, status, code) in [
        (&["update members set role = 'viewer'"], 403, "forbidden"),
        (&["delete from members"], 401, "unauthenticated"),
    ] {
        let adam = member(&world, &openid, "Adam", &[(&cast, "admin")]).await;
        let withdrawal = begin(&pool, withdraw).await;
        let invited = overtaken(&pool, withdrawal, invite(&adam)).await;
        invited.problem(status, code);
        assert_eq!(count(&pool, "select count(*) from invitations").await, 0);
        begin(&pool, &["delete from members"])
            .await
            .commit()
            .await
            .expect("as before");
    }
}

/// Somebody invites, and is stopped once the invitation is there and not yet committed; then their rights are withdrawn.
async fn none_is_left(
    pool: &PgPool,
    invite: impl Future<Output = Answer>,
    withdraw: impl Future<Output = Answer>,
) {
    sqlx::raw_sql(
        "create function wait_here() returns trigger language plpgsql as
             $$ begin perform pg_advisory_xact_lock(1); return null; end $$;
         create trigger wait_here after insert on invitations execute function wait_here();",
    )
    .execute(pool)
    .await
    .expect("a trigger");
    let held = begin(pool, &["select pg_advisory_xact_lock(1)"]).await;
    let withdraw = async {
        wait_until_blocked(pool, 1).await;
        withdraw.await
    };
    let release = async {
        wait_until_blocked(pool, 2).await;
        held.rollback().await.expect("released");
    };
    let (invited, withdrawn, ()) = tokio::join!(invite, withdraw, release);
    invited.ok(201);
    assert!(withdrawn.status.is_success(), "{}", withdrawn.text);
    assert_eq!(count(pool, "select count(*) from invitations").await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_invitation_on_its_way_is_withdrawn_with_the_rights_of_whoever_sent_it(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool.clone(), &[]).await;
    let cast = world.tenant("Northwind").await;
    let adam = member(&world, &openid, "Adam", &[(&cast, "admin")]).await;
    let members = world.get("/v1/members", &cast.owner).await.ok(200);
    let path = format!("/v1/members/{}", members.text("/data/0/id"));
    let role = Some(json!({ "role": "viewer" }));
    let demote = world.call(Method::PATCH, &path, &cast.owner, role);
    none_is_left(&pool, invite(&adam), demote).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn an_invitation_on_its_way_is_withdrawn_with_the_key_that_sent_it(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let key = json!({ "name": "robot", "role": "admin" });
    let made = world.post("/v1/api-keys", &cast.owner, key).await.ok(201);
    let (key, role) = (made.text("/key"), json!({ "role": "viewer" }));
    let path = format!("/v1/api-keys/{}", made.text("/id"));
    let invited = world.post("/v1/invitations", &key, role);
    none_is_left(&pool, invited, world.delete(&path, &cast.owner)).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_is_revoked_beside_other_changes_of_the_tenant(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let key = json!({ "name": "robot", "role": "admin" });
    let made = world.post("/v1/api-keys", &cast.owner, key).await.ok(201);
    // As whoever changes something of the tenant holds it, and whoever stores its decisions.
    let others = begin(&pool, &["select id from tenants for key share"]).await;
    let path = format!("/v1/api-keys/{}", made.text("/id"));
    world.delete(&path, &cast.owner).await.ok(204);
    others.rollback().await.expect("over");
}

/// Somebody who answers for AWS that every role refuses, and by whose first answer the tenant is suspended.
async fn suspending_aws(pool: PgPool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let refuse = async |State(pool): State<PgPool>| {
        sqlx::query("update tenants set status = 'suspended'")
            .execute(&pool)
            .await
            .expect("suspended");
        let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
        (StatusCode::FORBIDDEN, body)
    };
    let router = Router::new().fallback(refuse).with_state(pool);
    tokio::spawn(async move { axum::serve(listener, router).await });
    endpoint
}

#[sqlx::test(migrations = "../migrations")]
async fn what_a_verification_found_is_not_kept_for_a_tenant_suspended_meanwhile(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let instance = world.instance(&cast.owner, ARN).await;
    let world = world.with_aws(&suspending_aws(pool.clone()).await);
    let path = format!("/v1/instances/{instance}/verify");
    world
        .post(&path, &cast.admin, json!({}))
        .await
        .problem(403, "tenant_suspended");
    let checked = "select count(*) from instances where checked_at is not null";
    assert_eq!(count(&pool, checked).await, 0);
    let told = "select count(*) from audit_log where action = 'instance.verify'";
    assert_eq!(count(&pool, told).await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_joins_a_tenant_that_was_deleted_meanwhile(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool.clone(), &[]).await;
    let cast = world.tenant("Northwind").await;
    let role = json!({ "role": "viewer" });
    let link = world.post("/v1/invitations", &cast.owner, role).await;
    let link = link.ok(201).text("/link");
    let token = json!({ "token": link.split_once('#').expect("a token").1 });
    let ada = member(&world, &openid, "Ada", &[]).await;
    let accept = || ada.call(Method::POST, "/v1/invitations/accept", Some(token.clone()));
    let deletion = begin(&pool, DELETING).await;
    overtaken(&pool, deletion, accept())
        .await
        .problem(404, "not_found");
    accept().await.problem(404, "not_found");
    assert_eq!(count(&pool, "select count(*) from members").await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn coverage_of_an_instance_that_was_deleted_meanwhile_is_not_found(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let instance = verified_instance(&world, &cast).await;
    let deletion = begin(&pool, &["delete from instances"]).await;
    let path = format!("/v1/instances/{instance}/coverage/refresh");
    let refresh = world.post(&path, &cast.editor, json!({}));
    overtaken(&pool, deletion, refresh)
        .await
        .problem(404, "not_found");
}

/// The version is the policy's, and the policy the instance's.
#[sqlx::test(migrations = "../migrations")]
async fn an_instance_is_deleted_with_a_version_of_its_policy_that_was_on_its_way(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let instance = verified_instance(&world, &cast).await;
    let policy = format!("/v1/instances/{instance}/policy");
    let rules = json!({ "rules": [] });
    world
        .put(&policy, &cast.editor, rules.clone())
        .await
        .ok(200);
    let next = begin(
        &pool,
        &[
            "select from policies for update",
            "insert into policy_versions (tenant_id, policy_id, version, document, created_at, created_by)
             select tenant_id, policy_id, 2, document, created_at, created_by from policy_versions",
            "update policies set version = 2",
        ],
    )
    .await;
    let path = format!("/v1/instances/{instance}");
    let delete = world.delete(&path, &cast.admin);
    overtaken(&pool, next, delete).await.ok(204);
    assert_eq!(count(&pool, "select count(*) from policies").await, 0);
    // And the other way round.
    let instance = verified_instance(&world, &cast).await;
    let policy = format!("/v1/instances/{instance}/policy");
    world
        .put(&policy, &cast.editor, rules.clone())
        .await
        .ok(200);
    let deletion = begin(
        &pool,
        &[
            "select from policies for update",
            "delete from policy_versions",
            "delete from policies",
            "delete from publications",
            "delete from instances",
        ],
    )
    .await;
    let put = world.put(&policy, &cast.editor, rules);
    overtaken(&pool, deletion, put)
        .await
        .problem(404, "not_found");
}
