//! Letting what is counted for a number begin anew, and erasing it: what is asked, answered and audited.

use axum::http::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::decisions::{Scene, scene};
use crate::harness::{Answer, Cast, World};

/// That of the scene's decisions.
const NUMBER: &str = "+13125550100";
const MASKED: &str = "+13•••••••00";

async fn reset(world: &World, key: &str, body: Value) -> Answer {
    let path = format!("/v1/numbers/{NUMBER}/reset");
    world.post(&path, key, body).await
}

async fn audited(world: &World, cast: &Cast, action: &str) -> Vec<Value> {
    let path = format!("/v1/audit-log?action={action}");
    let log = world.get(&path, &cast.owner).await.ok(200);
    log.body["data"].as_array().expect("rows").clone()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_reset_says_where_it_was_done_and_where_a_region_did_not_answer(pool: PgPool) {
    // Nobody answers for the meters here; the second instance's policy has none.
    let Scene {
        world,
        cast,
        instance,
    } = scene(pool, 1).await;
    let arn =
        "arn:aws:connect:eu-west-2:111122223333:instance/99999999-2222-3333-4444-555555555555";
    let other = world.instance(&cast.owner, arn).await;
    world.mark_verified(&cast, &other).await;
    // Of this one nothing is proved, so it may be somebody else's.
    let unproved =
        "arn:aws:connect:eu-west-2:111122223333:instance/99999999-2222-3333-4444-666666666666";
    world.instance(&cast.owner, unproved).await;
    let path = format!("/v1/instances/{other}/policy");
    world
        .put(&path, &cast.owner, json!({ "rules": [] }))
        .await
        .ok(200);

    let body = reset(
        &world,
        &cast.editor,
        json!({ "reason": "Called by mistake" }),
    )
    .await
    .ok(200)
    .body;
    assert_eq!(
        (&body["number"], &body["complete"]),
        (&NUMBER.into(), &false.into())
    );
    let data = body["data"].as_array().expect("a list");
    assert_eq!(data.len(), 2, "{data:?}");
    let at = |id: &str| {
        data.iter()
            .find(|at| at["instance_id"] == id)
            .expect("the instance")
    };
    let silent = at(&instance);
    assert_eq!(
        (&silent["reset"], &silent["problem"]),
        (&false.into(), &"aws_unavailable".into())
    );
    let done = at(&other);
    assert_eq!(
        (&done["reset"], &done["problem"], &done["meters"]),
        (&true.into(), &Value::Null, &0.into())
    );

    let asked = audited(&world, &cast, "number.reset").await;
    let entry = &asked[0];
    assert_eq!(asked.len(), 1);
    assert_eq!(entry["target"], MASKED);
    assert_eq!(
        entry["after"],
        json!({ "number": MASKED, "reason": "Called by mistake" })
    );
    let in_part = audited(&world, &cast, "number.reset_in_part").await;
    assert_eq!(in_part[0]["after"]["not_reset"], json!([instance]));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_reset_tells_the_rules_whose_meters_it_cannot_name(pool: PgPool) {
    let Scene {
        world,
        cast,
        instance,
    } = scene(pool, 1).await;
    let rule = json!({
        "id": "per-campaign", "per": ["customer", "attribute:campaign"],
        "limit": { "kind": "sliding", "max": 3, "window_seconds": 60 },
    });
    let path = format!("/v1/instances/{instance}/policy");
    world
        .put(&path, &cast.owner, json!({ "rules": [rule] }))
        .await
        .ok(200);
    let body = reset(&world, &cast.editor, json!({ "reason": "asked" }))
        .await
        .ok(200)
        .body;
    let at = &body["data"][0];
    assert_eq!(at["rules_not_reset"], json!(["per-campaign"]));
    assert_eq!(at["reset"], true, "all that could be named: {body}");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_number_that_was_called_in_too_many_ways_is_said_not_to_be_reset_wholly(pool: PgPool) {
    let Scene {
        world,
        cast,
        instance,
    } = scene(pool.clone(), 0).await;
    let path = format!("/v1/instances/{instance}/policy");
    world
        .put(&path, &cast.owner, json!({ "rules": [] }))
        .await
        .ok(200);
    sqlx::query(
        "insert into decisions (tenant_id, id, instance_id, contact_id, at, outcome, record)
         select i.tenant_id, gen_random_uuid(), i.id, n::text, i.created_at, 'allowed',
             jsonb_build_object('customer_number', $1::text, 'agent_arn', n::text)
         from instances i, generate_series(1, 1001) n",
    )
    .bind(NUMBER)
    .execute(&pool)
    .await
    .expect("a history");
    let body = reset(&world, &cast.editor, json!({ "reason": "asked" }))
        .await
        .ok(200)
        .body;
    assert_eq!(body["data"][0]["problem"], "too_many_combinations");
    assert_eq!(body["complete"], false);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_reset_needs_a_reason_that_does_not_name_the_number(pool: PgPool) {
    let Scene { world, cast, .. } = scene(pool, 1).await;
    for (body, code) in [
        (json!({}), "missing"),
        (json!({ "reason": " " }), "out_of_range"),
        (json!({ "reason": "x".repeat(201) }), "out_of_range"),
        (json!({ "reason": 7 }), "wrong_type"),
        (json!({ "reason": "asked by (312) 555-0100" }), "invalid"),
    ] {
        let refused = reset(&world, &cast.editor, body)
            .await
            .problem(422, "validation_failed");
        assert_eq!(refused.pointers(), ["/reason"]);
        assert_eq!(refused.body["errors"][0]["code"], code);
    }
    let path = "/v1/numbers/5550100/reset";
    let body = json!({ "reason": "asked" });
    world
        .post(path, &cast.editor, body)
        .await
        .problem(404, "not_found");
    assert!(audited(&world, &cast, "number.reset").await.is_empty());
}

#[sqlx::test(migrations = "../migrations")]
async fn an_erasure_is_asked_for_once_and_its_audit_row_does_not_name_the_number(pool: PgPool) {
    let Scene { world, cast, .. } = scene(pool, 2).await;
    let path = format!("/v1/numbers/{NUMBER}");
    let asked = world.delete(&path, &cast.admin).await.ok(202);
    assert_eq!(asked.body["state"], "erasing");
    assert_eq!(asked.body["number"], MASKED);
    assert_eq!(asked.body["kept"], json!(["audit_log"]));
    assert!(!asked.text.contains(NUMBER));
    let again = world.delete(&path, &cast.admin).await.ok(202);
    assert_eq!(again.body["id"], asked.body["id"]);
    let id = asked.text("/id");
    let shown = world
        .get(&format!("/v1/number-erasures/{id}"), &cast.viewer)
        .await
        .ok(200);
    assert_eq!(shown.body["id"], id.as_str());
    for entry in audited(&world, &cast, "number.erase").await {
        assert_eq!(entry["target"], id.as_str());
        assert!(!entry.to_string().contains(NUMBER), "{entry}");
    }
    world
        .delete(&format!("{path}?listing=forget"), &cast.admin)
        .await
        .problem(400, "malformed_request");
    world
        .delete("/v1/numbers/911", &cast.admin)
        .await
        .problem(404, "not_found");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_entry_on_a_list_stays_unless_it_is_asked_to_go_and_the_answer_says_so(pool: PgPool) {
    let Scene { world, cast, .. } = scene(pool, 1).await;
    let entry = json!({ "number": NUMBER, "reason": "asked not to be called" });
    let entry = world
        .post("/v1/blocks", &cast.editor, entry)
        .await
        .ok(201)
        .text("/id");
    let path = format!("/v1/numbers/{NUMBER}");
    let kept = |answer: Answer| answer.ok(202).body["kept"].clone();
    let stays = kept(world.delete(&path, &cast.admin).await);
    assert_eq!(stays, json!(["audit_log", "listing"]));
    let listed = format!("/v1/blocks/{entry}");
    world.get(&listed, &cast.viewer).await.ok(200);
    let path = format!("{path}?listing=remove");
    let stays = kept(world.delete(&path, &cast.admin).await);
    assert_eq!(stays, json!(["audit_log", "removed_listing"]));
    world
        .get(&listed, &cast.viewer)
        .await
        .problem(404, "not_found");
    let removed = audited(&world, &cast, "block.remove").await;
    assert_eq!(removed[0]["before"]["number"], MASKED);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_stays_for_the_sake_of_other_limits_is_said(pool: PgPool) {
    let Scene {
        world,
        cast,
        instance,
    } = scene(pool.clone(), 1).await;
    sqlx::query(
        "update decisions set record = record || jsonb_build_object('caller_id', $1::text)",
    )
    .bind(NUMBER)
    .execute(&pool)
    .await
    .expect("a caller id");
    let rule = json!({
        "id": "per-campaign", "per": ["customer", "attribute:campaign"],
        "limit": { "kind": "sliding", "max": 3, "window_seconds": 60 },
    });
    let path = format!("/v1/instances/{instance}/policy");
    world
        .put(&path, &cast.owner, json!({ "rules": [rule] }))
        .await
        .ok(200);
    let asked = world
        .call(
            Method::DELETE,
            &format!("/v1/numbers/{NUMBER}"),
            &cast.admin,
            None,
        )
        .await;
    assert_eq!(
        asked.ok(202).body["kept"],
        json!(["audit_log", "caller_id_meters", "attribute_meters"])
    );
}
