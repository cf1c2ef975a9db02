//! Webhooks as tenants manage them.

use axum::http::Method;
use ringfence_api::domain::ids::EventId;
use ringfence_api::domain::webhook::EventKind;
use ringfence_api::store::NewEvent;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::harness::{Answer, Cast, World};

const URL: &str = "https://hooks.example.com/in/s3cret?token=t0ken";

fn wanted() -> Value {
    json!({ "url": URL, "events": ["call.denied", "policy.published"] })
}

async fn made(world: &World, cast: &Cast) -> String {
    let made = world.post("/v1/webhooks", &cast.admin, wanted()).await;
    made.ok(201).text("/id")
}

async fn change(world: &World, cast: &Cast, id: &str, change: Value) -> Answer {
    let path = format!("/v1/webhooks/{id}");
    world
        .call(Method::PATCH, &path, &cast.admin, Some(change))
        .await
}

async fn send_test(world: &World, cast: &Cast, id: &str) -> Answer {
    let path = format!("/v1/webhooks/{id}/test");
    world.call(Method::POST, &path, &cast.admin, None).await
}

#[sqlx::test(migrations = "../migrations")]
async fn a_webhook_s_secret_is_shown_once_and_kept_sealed(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let made = world
        .post("/v1/webhooks", &cast.admin, wanted())
        .await
        .ok(201);
    let secret = made.text("/secret");
    assert!(secret.starts_with("whsec_"), "{secret}");
    assert_eq!(made.body["state"], "enabled");
    assert_eq!(made.body["customer_numbers"], "masked");
    let path = format!("/v1/webhooks/{}", made.text("/id"));
    let read = world.get(&path, &cast.admin).await.ok(200);
    assert_eq!(read.body["secret"], Value::Null);
    assert_eq!(read.body["url"], URL);
    let kept: Vec<u8> = sqlx::query_scalar("select secret from webhook_endpoints")
        .fetch_one(&pool)
        .await
        .expect("a row");
    assert_eq!(kept.len(), 4 + 12 + 32 + 16, "mark, nonce, secret, tag");
    let listed = world.get("/v1/webhooks", &cast.admin).await.ok(200);
    assert!(!listed.text.contains(&secret));
}

/// What the receiver put into its address is the receiver's secret.
#[sqlx::test(migrations = "../migrations")]
async fn the_audit_log_names_neither_the_secret_nor_the_address_s_path(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let id = made(&world, &cast).await;
    change(&world, &cast, &id, json!({ "description": "Ours" }))
        .await
        .ok(200);
    let path = format!("/v1/webhooks/{id}/rotate-secret");
    let rotated = world.post(&path, &cast.admin, json!({})).await.ok(200);
    send_test(&world, &cast, &id).await.ok(202);
    world
        .delete(&format!("/v1/webhooks/{id}"), &cast.admin)
        .await
        .ok(204);
    let log = world.get("/v1/audit-log", &cast.owner).await.ok(200);
    for action in ["create", "update", "rotate_secret", "test", "delete"] {
        let action = format!("webhook.{action}");
        assert!(log.text.contains(&action), "{action} in {}", log.text);
    }
    assert!(log.text.contains("https://hooks.example.com"));
    for secret in ["s3cret", "t0ken", &rotated.text("/secret")] {
        assert!(!log.text.contains(secret));
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn the_audit_log_shows_that_an_address_changed_within_its_origin_without_telling_it(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let id = made(&world, &cast).await;
    let twin = made(&world, &cast).await;
    let elsewhere = "https://hooks.example.com/in/hush?token=0ther";
    for url in [elsewhere, URL] {
        change(&world, &cast, &id, json!({ "url": url }))
            .await
            .ok(200);
    }
    let rows = async |filter: &str| {
        let log = format!("/v1/audit-log?{filter}");
        let log = world.get(&log, &cast.owner).await.ok(200);
        for secret in ["s3cret", "t0ken", "hush", "0ther"] {
            assert!(!log.text.contains(secret), "{}", log.text);
        }
        log.body["data"].as_array().cloned().expect("a list")
    };
    let updates = rows(&format!("action=webhook.update&target={id}")).await;
    let [back, away] = &updates[..] else {
        panic!("{updates:?}");
    };
    let of = |row: &Value, side: &str| row[side]["address_fingerprint"].clone();
    let (first, other) = (of(away, "before"), of(away, "after"));
    assert_eq!(first.as_str().map(str::len), Some(16));
    assert_ne!(first, other);
    assert_eq!(
        (of(back, "before"), of(back, "after")),
        (other, first.clone())
    );
    assert_eq!(away["before"]["origin"], away["after"]["origin"]);
    let created = rows(&format!("action=webhook.create&target={twin}")).await;
    assert_ne!(of(&created[0], "after"), first, "of another webhook");
}

/// An event is written in a transaction that may still see the endpoint enabled and end after it was disabled.
#[sqlx::test(migrations = "../migrations")]
async fn enabling_gives_up_what_was_on_its_way_while_it_was_disabled(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let id = made(&world, &cast).await;
    let tenant = cast.id.parse().expect("an id");
    let mut event = world.store.tenant(tenant).await.expect("a transaction");
    let call = NewEvent {
        id: EventId(world.ids.uuid()),
        kind: EventKind::CallDenied,
        subject: "a call",
        at: world.clock.now(),
        data: json!({}),
    };
    assert_eq!(event.event_put(&call).await.expect("told"), 1);
    // As a worker does it, which waits for nobody who writes an event.
    sqlx::query("update webhook_endpoints set state = 'disabled', disabled_because = 'failing'")
        .execute(&pool)
        .await
        .expect("disabled");
    event.commit().await.expect("committed");
    change(&world, &cast, &id, json!({ "state": "enabled" }))
        .await
        .ok(200);
    let path = format!("/v1/webhooks/{id}/deliveries");
    let given_up = world.get(&path, &cast.admin).await.ok(200);
    assert_eq!(given_up.text("/data/0/state"), "failed");
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_wrong_with_a_webhook_is_told_field_by_field(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let all = json!({
        "url": 7, "events": ["call.denied", "call.denied"], "description": "x".repeat(201),
        "customer_numbers": "some", "colour": "red",
    });
    let answer = world.post("/v1/webhooks", &cast.admin, all).await;
    assert_eq!(
        answer.problem(422, "validation_failed").pointers(),
        [
            "/colour",
            "/customer_numbers",
            "/description",
            "/events",
            "/url"
        ]
    );
    let none = world.post("/v1/webhooks", &cast.admin, json!({})).await;
    assert_eq!(
        none.problem(422, "validation_failed").pointers(),
        ["/events", "/url"]
    );
    for url in [
        "hooks.example.com",
        "http://hooks.example.com/",
        "https://user:pw@hooks.example.com/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/",
        "https://hooks.example.com:25/",
    ] {
        let body = json!({ "url": url, "events": ["call.denied"] });
        let answer = world.post("/v1/webhooks", &cast.admin, body).await;
        let pointers = answer.problem(422, "validation_failed").pointers();
        assert_eq!(pointers, ["/url"], "{url}");
    }
    let id = made(&world, &cast).await;
    let body = json!({ "url": "https://10.0.0.1/" });
    let answer = change(&world, &cast, &id, body).await;
    assert_eq!(
        answer.problem(422, "validation_failed").pointers(),
        ["/url"]
    );
    let body = json!({ "events": ["webhook.test"] });
    let answer = change(&world, &cast, &id, body).await;
    assert_eq!(
        answer.problem(422, "validation_failed").pointers(),
        ["/events"]
    );
    let path = format!("/v1/webhooks/{id}/rotate-secret");
    for overlap in [json!(-1), json!(604_801), json!(1.5), json!("1")] {
        let body = json!({ "overlap_seconds": overlap });
        let answer = world.post(&path, &cast.admin, body).await;
        let pointers = answer.problem(422, "validation_failed").pointers();
        assert_eq!(pointers, ["/overlap_seconds"], "{overlap}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn disabling_gives_up_what_waits_and_it_can_be_sent_again(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let id = made(&world, &cast).await;
    let sent = send_test(&world, &cast, &id).await.ok(202);
    assert_eq!(sent.body["state"], "waiting");
    let event = sent.text("/event_id");
    let disabled = change(&world, &cast, &id, json!({ "state": "disabled" })).await;
    assert_eq!(disabled.ok(200).body["disabled_because"], "asked");
    let path = format!("/v1/webhooks/{id}/deliveries");
    let given_up = world.get(&path, &cast.admin).await.ok(200);
    assert_eq!(given_up.body["data"][0]["state"], "failed");
    assert_eq!(given_up.body["data"][0]["next_attempt_at"], Value::Null);
    send_test(&world, &cast, &id).await.problem(409, "conflict");
    let resend = format!("{path}/{event}/resend");
    let again = async || world.call(Method::POST, &resend, &cast.admin, None).await;
    again().await.problem(409, "conflict");
    let failed = world
        .get(&format!("{path}?state=waiting"), &cast.admin)
        .await;
    assert_eq!(failed.ok(200).body["data"], json!([]), "nothing was begun");
    let enabled = change(&world, &cast, &id, json!({ "state": "enabled" })).await;
    assert_eq!(enabled.ok(200).body["disabled_because"], Value::Null);
    let resent = again().await.ok(202);
    assert_eq!(resent.body["state"], "waiting");
    assert_eq!(resent.text("/event_id"), event);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_delivery_shows_its_message_and_lists_go_on(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let id = made(&world, &cast).await;
    let mut events = Vec::new();
    for _ in 0..5 {
        world.pass(1);
        events.push(
            send_test(&world, &cast, &id)
                .await
                .ok(202)
                .text("/event_id"),
        );
    }
    events.reverse();
    let first = format!("/v1/webhooks/{id}/deliveries?limit=3");
    let first = world.get(&first, &cast.admin).await.ok(200);
    let cursor = first.text("/next_cursor");
    let rest = format!("/v1/webhooks/{id}/deliveries?limit=3&cursor={cursor}");
    let rest = world.get(&rest, &cast.admin).await.ok(200);
    let listed: Vec<&str> = [&first, &rest]
        .iter()
        .flat_map(|page| page.body["data"].as_array().expect("a list"))
        .map(|delivery| delivery["event_id"].as_str().expect("an id"))
        .collect();
    assert_eq!(listed, events);
    let one = format!("/v1/webhooks/{id}/deliveries/{}", events[0]);
    let one = world.get(&one, &cast.admin).await.ok(200);
    assert_eq!(one.body["message"]["type"], "webhook.test");
    assert_eq!(one.body["message"]["data"], json!({ "webhook_id": id }));
    assert_eq!(one.body["attempts_made"], json!([]));
    let stranger = world.tenant("Stranger").await;
    let path = format!("/v1/webhooks/{id}/deliveries/{}", events[0]);
    world
        .get(&path, &stranger.owner)
        .await
        .problem(404, "not_found");
    let resend = format!("{path}/resend");
    world
        .call(Method::POST, &resend, &stranger.owner, None)
        .await
        .problem(404, "not_found");
}
