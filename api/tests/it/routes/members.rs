//! Members: who they are, what they may be made, and who can be removed by whom.

use axum::http::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::sessions::member;
use crate::browser::Browser;
use crate::harness::{Cast, World};

/// The member's id by the name.
async fn id_of(world: &World, cast: &Cast, name: &str) -> String {
    let list = world.get("/v1/members", &cast.viewer).await.ok(200);
    let members = list.body["data"].as_array().cloned().expect("a list");
    let found = members.iter().find(|member| member["name"] == name);
    let id = found.unwrap_or_else(|| panic!("no {name} in {}", list.text));
    id["id"].as_str().expect("an id").to_owned()
}

async fn change(world: &World, key: &str, id: &str, role: &str) -> crate::harness::Answer {
    let body = Some(json!({ "role": role }));
    world
        .call(Method::PATCH, &format!("/v1/members/{id}"), key, body)
        .await
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_gives_more_than_they_have_or_touches_whoever_has_more(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let cast = world.tenant("Northwind").await;
    member(&world, &openid, "Olga", &[(&cast, "owner")]).await;
    member(&world, &openid, "Oleg", &[(&cast, "owner")]).await;
    member(&world, &openid, "Vera", &[(&cast, "viewer")]).await;
    let (owner, viewer) = (
        id_of(&world, &cast, "Olga").await,
        id_of(&world, &cast, "Vera").await,
    );
    for (key, id, role, status) in [
        (&cast.editor, &viewer, "editor", 403),
        (&cast.admin, &viewer, "owner", 403),
        (&cast.admin, &owner, "viewer", 403),
        (&cast.admin, &owner, "owner", 403),
        (&cast.admin, &viewer, "admin", 200),
        (&cast.owner, &viewer, "owner", 200),
        (&cast.owner, &viewer, "viewer", 200),
    ] {
        let answer = change(&world, key, id, role).await;
        assert_eq!(answer.status, status, "{role}: {}", answer.text);
    }
    let path = format!("/v1/members/{owner}");
    world
        .delete(&path, &cast.admin)
        .await
        .problem(403, "forbidden");
    let nobody = json!({ "role": "god", "name": "x" });
    let path = format!("/v1/members/{viewer}");
    let faults = world
        .call(Method::PATCH, &path, &cast.owner, Some(nobody))
        .await;
    assert_eq!(
        faults.problem(422, "validation_failed").pointers(),
        ["/name", "/role"]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn the_last_owner_stays_even_if_two_remove_each_other_at_once(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let cast = world.tenant("Northwind").await;
    member(&world, &openid, "Olga", &[(&cast, "owner")]).await;
    let olga = id_of(&world, &cast, "Olga").await;
    change(&world, &cast.owner, &olga, "admin")
        .await
        .problem(409, "last_owner");
    world
        .delete(&format!("/v1/members/{olga}"), &cast.owner)
        .await
        .problem(409, "last_owner");
    for _ in 0..8 {
        member(&world, &openid, "Oleg", &[(&cast, "owner")]).await;
        let oleg = id_of(&world, &cast, "Oleg").await;
        let remove = async |id: &str| {
            let path = format!("/v1/members/{id}");
            world.delete(&path, &cast.owner).await.status.as_u16()
        };
        let (one, other) = tokio::join!(remove(&oleg), change(&world, &cast.owner, &olga, "admin"));
        let mut both = [one, other.status.as_u16()];
        both.sort_unstable();
        assert!(both[0] < 300 && both[1] == 409, "{both:?}");
        // One owner more again, so that the next round begins like this one.
        if one == 409 {
            change(&world, &cast.owner, &olga, "owner").await.ok(200);
            world
                .delete(&format!("/v1/members/{oleg}"), &cast.owner)
                .await
                .ok(204);
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn removing_a_member_ends_their_sessions_and_what_they_offered(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool.clone(), &[]).await;
    let (cast, other) = (world.tenant("Northwind").await, world.tenant("Other").await);
    member(&world, &openid, "Olga", &[(&cast, "owner")]).await;
    let adam = member(
        &world,
        &openid,
        "Adam",
        &[(&cast, "admin"), (&other, "viewer")],
    )
    .await;
    let invite = async |browser: &Browser<'_>, role: &str| {
        let headers = [("ringfence-tenant", cast.id.as_str())];
        let body = Some(json!({ "role": role }));
        let made = browser
            .call_for(Method::POST, "/v1/invitations", body, &headers)
            .await;
        made.ok(201).text("/link")
    };
    let offered = invite(&adam, "editor").await;
    let id = id_of(&world, &cast, "Adam").await;
    world
        .delete(&format!("/v1/members/{id}"), &cast.owner)
        .await
        .ok(204);
    adam.call(Method::GET, "/v1/me", None)
        .await
        .problem(401, "unauthenticated");
    let open = world.get("/v1/invitations", &cast.owner).await.ok(200);
    assert_eq!(open.body["data"], json!([]));
    let token = offered.split_once('#').expect("a token").1;
    let eve = member(&world, &openid, "Eve", &[]).await;
    eve.call(
        Method::POST,
        "/v1/invitations/accept",
        Some(json!({ "token": token })),
    )
    .await
    .problem(404, "not_found");
    // In the other tenant nothing has changed.
    let adam = member(&world, &openid, "Adam", &[]).await;
    let me = adam.call(Method::GET, "/v1/me", None).await.ok(200);
    assert_eq!(me.text("/tenant/name"), "Other");

    // Whoever keeps less, keeps no offers either.
    let ben = member(&world, &openid, "Ben", &[(&cast, "admin")]).await;
    invite(&ben, "admin").await;
    let id = id_of(&world, &cast, "Ben").await;
    change(&world, &cast.owner, &id, "viewer").await.ok(200);
    let open = world.get("/v1/invitations", &cast.owner).await.ok(200);
    assert_eq!(open.body["data"], json!([]));
    let told: Vec<(String, Value)> = sqlx::query_as(
        "select action, coalesce(after, 'null'::jsonb) from audit_log
         where action like 'member.%' or action like 'invitation.%' order by at, seq",
    )
    .fetch_all(&pool)
    .await
    .expect("rows");
    let count = |action: &str| told.iter().filter(|(told, _)| told == action).count();
    assert_eq!(count("invitation.create"), 6);
    assert_eq!(count("member.join"), 4);
    assert_eq!(count("member.remove"), 1);
    assert_eq!(count("member.change_role"), 1);
    assert_eq!(count("invitation.withdraw"), 2);
    let withdrawn: Vec<Option<String>> = sqlx::query_scalar(
        "select before ->> 'role' from audit_log where action = 'invitation.withdraw' order by seq",
    )
    .fetch_all(&pool)
    .await
    .expect("rows");
    assert_eq!(
        withdrawn,
        [Some("editor".to_owned()), Some("admin".to_owned())],
        "what was withdrawn is on record"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn another_tenant_s_members_are_like_nobody(pool: PgPool) {
    let (world, openid) = World::with_sign_in(pool, &[]).await;
    let (cast, other) = (world.tenant("Northwind").await, world.tenant("Other").await);
    member(&world, &openid, "Vera", &[(&cast, "viewer")]).await;
    let id = id_of(&world, &cast, "Vera").await;
    let theirs = change(&world, &other.owner, &id, "editor")
        .await
        .problem(404, "not_found");
    let missing = "mem_01890000000070008000000000000000";
    let nobodys = change(&world, &other.owner, missing, "editor")
        .await
        .problem(404, "not_found");
    assert_eq!(theirs.without_request_id(), nobodys.without_request_id());
    let list = world.get("/v1/members", &other.owner).await.ok(200);
    assert_eq!(list.body["data"], json!([]));
}
