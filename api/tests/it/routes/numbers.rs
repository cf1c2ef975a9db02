//! Exemptions and blocks: what is listed is what limiters count, in one list only, and every change is on record.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::harness::{ARN, Answer, Cast, World};

const NUMBER: &str = "+12065550100";

fn entry(number: &str) -> Value {
    json!({ "number": number, "reason": "Asked not to be called" })
}

async fn import(world: &World, list: &str, key: &str, document: &str) -> Answer {
    let request = Request::post(format!("/v1/{list}/import"))
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "text/csv; charset=utf-8")
        .body(Body::from(document.to_owned()))
        .expect("a request");
    world.send(request).await
}

async fn numbers(world: &World, cast: &Cast, list: &str) -> Vec<String> {
    let answer = world
        .get(&format!("/v1/{list}"), &cast.viewer)
        .await
        .ok(200);
    let entries = answer.body["data"].as_array().expect("a list").clone();
    entries
        .iter()
        .map(|entry| entry["number"].as_str().expect("a number").to_owned())
        .collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_number_is_listed_read_and_taken_off(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let body = json!({
        "number": "+1 (206) 555-0100", "reason": " Court order ", "expires_at": "2026-12-01T00:00:00.1234567Z",
    });
    let made = world.post("/v1/blocks", &cast.editor, body).await.ok(201);
    assert_eq!(made.body["number"], NUMBER, "as limiters count it");
    assert_eq!(made.body["reason"], "Court order");
    assert!(made.text("/created_by").starts_with("api_key:key_"));
    let path = format!("/v1/blocks/{}", made.text("/id"));
    let read = world.get(&path, &cast.viewer).await.ok(200);
    assert_eq!(read.body, made.body, "what was answered is what is stored");
    assert_eq!(numbers(&world, &cast, "blocks").await, [NUMBER]);
    assert!(numbers(&world, &cast, "exemptions").await.is_empty());
    // An entry of one list is none of the other's.
    let other = path.replace("blocks", "exemptions");
    world
        .get(&other, &cast.viewer)
        .await
        .problem(404, "not_found");
    world
        .delete(&other, &cast.editor)
        .await
        .problem(404, "not_found");
    world.delete(&path, &cast.editor).await.ok(204);
    world
        .delete(&path, &cast.editor)
        .await
        .problem(404, "not_found");
    world
        .get(&path, &cast.viewer)
        .await
        .problem(404, "not_found");
    assert!(numbers(&world, &cast, "blocks").await.is_empty());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_number_stands_in_one_list_only_and_once(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let made = world
        .post("/v1/blocks", &cast.editor, entry(NUMBER))
        .await
        .ok(201);
    for list in ["blocks", "exemptions"] {
        let spelt = entry("+1-206-555-0100");
        let refused = world
            .post(&format!("/v1/{list}"), &cast.editor, spelt)
            .await;
        let detail = refused.problem(409, "number_listed").text("/detail");
        assert!(
            detail.contains("blocks") && !detail.contains("206"),
            "{detail}"
        );
    }
    // Another tenant's lists are its own.
    let other = world.tenant("Stranger").await;
    world
        .post("/v1/exemptions", &other.editor, entry(NUMBER))
        .await
        .ok(201);
    let path = format!("/v1/blocks/{}", made.text("/id"));
    world.delete(&path, &cast.editor).await.ok(204);
    world
        .post("/v1/exemptions", &cast.editor, entry(NUMBER))
        .await
        .ok(201);
}

#[sqlx::test(migrations = "../migrations")]
async fn two_requests_at_once_cannot_list_a_number_twice(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let (block, exemption) = tokio::join!(
        world.post("/v1/blocks", &cast.editor, entry(NUMBER)),
        world.post("/v1/exemptions", &cast.editor, entry(NUMBER)),
    );
    let mut statuses = [block.status.as_u16(), exemption.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{} {}", block.text, exemption.text);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_expired_entry_makes_way_and_vanishes_after_a_week(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let mut body = entry(NUMBER);
    body["expires_at"] = json!("2026-11-25T12:00:10Z");
    world
        .post("/v1/blocks", &cast.editor, body.clone())
        .await
        .ok(201);
    world.pass(9);
    world
        .post("/v1/exemptions", &cast.editor, entry(NUMBER))
        .await
        .problem(409, "number_listed");
    world.pass(1);
    let past = world.post("/v1/blocks", &cast.editor, body).await;
    assert_eq!(
        past.problem(422, "validation_failed").pointers(),
        ["/expires_at"]
    );
    assert_eq!(
        numbers(&world, &cast, "blocks").await,
        [NUMBER],
        "shown though expired"
    );
    world
        .post("/v1/exemptions", &cast.editor, entry(NUMBER))
        .await
        .ok(201);
    assert!(numbers(&world, &cast, "blocks").await.is_empty());
    let mut other = entry("+12065550101");
    other["expires_at"] = json!("2026-11-25T13:00:00Z");
    world.post("/v1/blocks", &cast.editor, other).await.ok(201);
    world.pass(3600 + 7 * 86_400);
    assert!(numbers(&world, &cast, "blocks").await.is_empty());
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_wrong_is_named_and_no_number_is_repeated(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let body = json!({ "number": "2065550199", "reason": "x".repeat(201), "expires_at": "soon", "list": "block" });
    let answer = world
        .post("/v1/blocks", &cast.editor, body)
        .await
        .problem(422, "validation_failed");
    assert_eq!(
        answer.pointers(),
        ["/expires_at", "/list", "/number", "/reason"]
    );
    assert!(!answer.text.contains("2065550199"), "{}", answer.text);
    let answer = world.post("/v1/blocks", &cast.editor, json!({})).await;
    assert_eq!(
        answer.problem(422, "validation_failed").pointers(),
        ["/number", "/reason"]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_number_is_found_however_its_plus_arrives(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    for number in [NUMBER, "+12065550101", "+442079460000"] {
        world
            .post("/v1/exemptions", &cast.editor, entry(number))
            .await
            .ok(201);
    }
    for query in ["%2B12065550100", "+12065550100", "12065550100"] {
        let found = world
            .get(&format!("/v1/exemptions?number={query}"), &cast.viewer)
            .await
            .ok(200);
        assert_eq!(
            found.body["data"].as_array().map(Vec::len),
            Some(1),
            "{query}"
        );
        assert_eq!(found.body["data"][0]["number"], NUMBER);
    }
    world
        .get("/v1/exemptions?number=abc", &cast.viewer)
        .await
        .problem(400, "malformed_request");
    let page = world
        .get("/v1/exemptions?limit=2", &cast.viewer)
        .await
        .ok(200);
    let cursor = page.text("/next_cursor");
    let rest = world
        .get(
            &format!("/v1/exemptions?limit=2&cursor={cursor}"),
            &cast.viewer,
        )
        .await
        .ok(200);
    assert_eq!(rest.body["data"].as_array().map(Vec::len), Some(1));
    assert!(rest.body["next_cursor"].is_null());
}

#[sqlx::test(migrations = "../migrations")]
async fn an_import_takes_all_rows_or_none_and_sending_it_again_changes_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    world
        .post("/v1/exemptions", &cast.editor, entry("+12065550109"))
        .await
        .ok(201);
    let good =
        "number,reason,expires_at\n+12065550100,asked,\n+12065550101,asked,2027-01-01T00:00:00Z\n";
    let bad = format!("{good}nonsense,,\n+12065550109,asked,\n");
    let refused = import(&world, "blocks", &cast.editor, &bad)
        .await
        .problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/4/number", "/4/reason"]);
    let elsewhere = format!("{good}+12065550109,asked,\n");
    let refused = import(&world, "blocks", &cast.editor, &elsewhere)
        .await
        .problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/4/number"]);
    assert!(
        refused.text("/errors/0/detail").starts_with("line 4: "),
        "{}",
        refused.text
    );
    assert!(numbers(&world, &cast, "blocks").await.is_empty());

    let counts = |answer: Answer| {
        let count = |name: &str| answer.body[name].as_u64().expect("a count");
        (count("added"), count("changed"), count("unchanged"))
    };
    let first = import(&world, "blocks", &cast.editor, good).await.ok(200);
    assert_eq!(counts(first), (2, 0, 0));
    let second = import(&world, "blocks", &cast.editor, good).await.ok(200);
    assert_eq!(counts(second), (0, 0, 2));
    let other = good.replace("+12065550100,asked", "+12065550100,asked twice");
    let third = import(&world, "blocks", &cast.editor, &other).await.ok(200);
    assert_eq!(counts(third), (0, 1, 1));
    let found = world
        .get("/v1/blocks?number=12065550100", &cast.viewer)
        .await
        .ok(200);
    assert_eq!(found.text("/data/0/reason"), "asked twice");

    let as_json = world
        .post("/v1/blocks/import", &cast.editor, json!({}))
        .await;
    as_json.problem(415, "unsupported_media_type");
}

#[sqlx::test(migrations = "../migrations")]
async fn fifty_thousand_rows_are_imported_in_one_request(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let mut document = "number,reason\n".to_owned();
    for number in 0..50_000 {
        document.push_str(&format!(
            "+1206{:07},Asked not to be called again\n",
            2_000_000 + number
        ));
    }
    let imported = import(&world, "blocks", &cast.editor, &document)
        .await
        .ok(200);
    assert_eq!(imported.body["added"], 50_000);
    document.push_str("+12069999999,one too many\n");
    let refused = import(&world, "blocks", &cast.editor, &document).await;
    assert_eq!(
        refused.problem(422, "validation_failed").pointers(),
        ["/50002"]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn every_change_of_a_list_is_on_record_with_who_made_it(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let made = world
        .post("/v1/blocks", &cast.editor, entry(NUMBER))
        .await
        .ok(201);
    let id = made.text("/id");
    world
        .delete(&format!("/v1/blocks/{id}"), &cast.admin)
        .await
        .ok(204);
    import(
        &world,
        "exemptions",
        &cast.editor,
        "number,reason\n+12065550101,asked\n",
    )
    .await
    .ok(200);
    let rows: Vec<(String, String, Option<Value>, Option<Value>)> = sqlx::query_as(
        "select action, target, before, after from audit_log
         where action like 'block.%' or action like 'exemption.%' order by at, id",
    )
    .fetch_all(&pool)
    .await
    .expect("rows");
    let told: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row.0.as_str(), row.1.as_str()))
        .collect();
    assert_eq!(told.len(), 3);
    for row in [
        ("block.create", id.as_str()),
        ("block.remove", id.as_str()),
        ("exemption.import", cast.id.as_str()),
    ] {
        assert!(told.contains(&row), "{row:?} in {told:?}");
    }
    let removal = rows
        .iter()
        .find(|row| row.0 == "block.remove")
        .expect("the removal");
    assert_eq!(removal.2.as_ref().expect("what was")["number"], NUMBER);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_first_entry_makes_every_instance_of_the_tenant_look_numbers_up(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let instance = world.instance(&cast.owner, ARN).await;
    world.mark_verified(&cast, &instance).await;
    let tenant = cast.id.parse().expect("an id");
    let id = instance.parse().expect("an id");
    let mut tx = world.store.tenant(tenant).await.expect("a transaction");
    tx.publication_activate(id, world.clock.now())
        .await
        .expect("active");
    tx.commit().await.expect("committed");
    let source = async || {
        let source = world
            .store
            .publication_source(tenant, id)
            .await
            .expect("an answer");
        let source = source.expect("a source");
        (source.has_listed_numbers, source.revision)
    };
    let (before, first) = source().await;
    assert!(!before);
    world
        .post("/v1/blocks", &cast.editor, entry(NUMBER))
        .await
        .ok(201);
    let (after, second) = source().await;
    assert!(after && second > first, "published anew");
    world
        .post("/v1/blocks", &cast.editor, entry("+12065550101"))
        .await
        .ok(201);
    assert_eq!(source().await, (true, second), "and once is enough");
}

/// As of one that is listed alone.
#[sqlx::test(migrations = "../migrations")]
async fn an_import_is_on_record_with_each_number_that_it_added_or_changed(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let rows = |reason: &str, numbers: std::ops::Range<u32>| {
        let lines = numbers.map(|number| format!("+1206555{number:04},{reason}\n"));
        format!("number,reason\n{}", lines.collect::<String>())
    };
    let first = rows("asked", 0..130);
    import(&world, "exemptions", &cast.editor, &first)
        .await
        .ok(200);
    // The first hundred stay, thirty change, and five are new.
    let second =
        rows("asked", 0..100) + rows("asked twice", 100..135).trim_start_matches("number,reason\n");
    import(&world, "exemptions", &cast.editor, &second)
        .await
        .ok(200);
    import(&world, "exemptions", &cast.editor, &second)
        .await
        .ok(200);
    let told: Vec<(Option<Value>, Value)> = sqlx::query_as(
        "select before, after from audit_log where action = 'exemption.import' order by seq",
    )
    .fetch_all(&pool)
    .await
    .expect("rows");
    let sizes: Vec<(usize, usize)> = told
        .iter()
        .map(|(before, after)| {
            let of = |state: &Value| state["entries"].as_object().expect("entries").len();
            (before.as_ref().map_or(0, of), of(after))
        })
        .collect();
    assert_eq!(sizes, [(0, 100), (0, 30), (30, 35), (0, 0)]);
    assert_eq!(
        (&told[1].1["added"], &told[1].1["changed"]),
        (&json!(130), &json!(0))
    );
    let entry = world
        .get("/v1/exemptions?number=12065550100", &cast.viewer)
        .await
        .ok(200);
    let id = entry.text("/data/0/id");
    let state =
        |reason: &str| json!({ "number": "+12065550100", "reason": reason, "expires_at": null });
    let (before, after) = &told[2];
    assert_eq!(
        before.as_ref().expect("what was")["entries"][&id],
        state("asked")
    );
    assert_eq!(after["entries"][&id], state("asked twice"));
    assert_eq!(told[1].1["entries"][&id], state("asked"));
}
