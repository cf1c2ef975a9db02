//! Decisions counted, exported and watched.

use axum::http::Method;
use serde_json::Value;
use sqlx::PgPool;

use super::decisions::{Scene, scene};

#[sqlx::test(migrations = "../migrations")]
async fn decisions_are_counted_by_time_and_by_what_they_have_in_common(pool: PgPool) {
    let Scene {
        world,
        cast,
        instance,
    } = scene(pool, 5).await;
    world.pass(60);
    let path = "/v1/stats/decisions?bucket=minute&from=2026-11-25T11:59:30Z";
    let stats = world.get(path, &cast.viewer).await.ok(200).body;
    assert_eq!(stats["decisions"], 5);
    assert_eq!(
        stats["by_outcome"],
        serde_json::json!({ "allowed": 3, "denied": 2 })
    );
    assert_eq!(
        (&stats["decided_in_p50_ms"], &stats["decided_in_p99_ms"]),
        (&7.into(), &7.into())
    );
    let starts: Vec<&str> = stats["data"]
        .as_array()
        .expect("buckets")
        .iter()
        .filter_map(|bucket| bucket["start"].as_str())
        .collect();
    assert_eq!(starts, ["2026-11-25T11:59:00Z", "2026-11-25T12:00:00Z"]);
    let top = |query: &str| format!("/v1/stats/top?{query}");
    let rules = world
        .get(&top("by=rule_id"), &cast.viewer)
        .await
        .ok(200)
        .body;
    assert_eq!(
        rules["data"],
        serde_json::json!([{ "value": "customer-per-day", "decisions": 2 }])
    );
    let numbers = world
        .get(&top("by=customer_number&outcome=allowed"), &cast.viewer)
        .await
        .ok(200);
    assert_eq!(numbers.body["data"][0]["decisions"], 3);
    let instances = world
        .get(&top("by=instance_id"), &cast.viewer)
        .await
        .ok(200);
    assert_eq!(instances.body["data"][0]["value"], instance.as_str());

    for query in [
        "",
        "by=record",
        "by=rule_id&limit=0",
        "by=rule_id&from=2026-01-01T00:00:00Z",
    ] {
        world
            .get(&top(query), &cast.viewer)
            .await
            .problem(400, "malformed_request");
    }
    let backwards = "/v1/stats/decisions?from=2026-11-25T12:00:00Z&to=2026-11-25T11:00:00Z";
    world
        .get(backwards, &cast.viewer)
        .await
        .problem(400, "malformed_request");
    let stranger = world.tenant("Stranger").await;
    let none = world.get(path, &stranger.viewer).await.ok(200).body;
    assert_eq!(none["decisions"], 0);
    assert_eq!(none["decided_in_p50_ms"], Value::Null);
}

#[sqlx::test(migrations = "../migrations")]
async fn every_filter_finds_its_decisions_and_no_others(pool: PgPool) {
    let Scene { world, cast, .. } = scene(pool, 5).await;
    for (filter, found) in [
        ("customer_number=%2B13125550100", 5),
        ("customer_number=+1%20312%20555%200100", 5),
        ("customer_number=%2B13125550101", 0),
        ("caller_id=%2B13125550100", 0),
        ("agent_arn=nobody", 0),
        ("queue_arn=none", 0),
        ("from=2026-11-25T12:00:01Z", 4),
        ("to=2026-11-25T12:00:01Z", 1),
        (
            "from=2026-11-25T12:00:01Z&to=2026-11-25T12:00:04Z&outcome=denied",
            2,
        ),
    ] {
        let list = world
            .get(&format!("/v1/decisions?{filter}"), &cast.viewer)
            .await
            .ok(200);
        assert_eq!(
            list.body["data"].as_array().map(Vec::len),
            Some(found),
            "{filter}"
        );
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn an_export_holds_every_decision_once_however_many_pages_there_are(pool: PgPool) {
    let Scene { world, cast, .. } = scene(pool, 1203).await;
    world.pass(3600);
    let lines = world
        .get("/v1/decisions/export", &cast.viewer)
        .await
        .ok(200);
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    let ids: std::collections::BTreeSet<String> = lines
        .text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["id"].to_string())
        .collect();
    assert_eq!((ids.len(), lines.text.lines().count()), (1203, 1203));

    let table = world
        .get(
            "/v1/decisions/export?format=csv&outcome=denied",
            &cast.viewer,
        )
        .await
        .ok(200);
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    let mut lines = table.text.lines();
    assert!(
        lines
            .next()
            .is_some_and(|headings| headings.starts_with("id,at,instance_id,"))
    );
    assert_eq!(lines.filter(|line| line.contains(",denied,")).count(), 601);
    world
        .get("/v1/decisions/export?format=xml", &cast.viewer)
        .await
        .problem(400, "malformed_request");
}

#[sqlx::test(migrations = "../migrations")]
async fn who_watches_is_told_once_by_a_stream_and_after_a_reconnect_of_late_ones_with_smaller_ids_too(
    pool: PgPool,
) {
    let Scene { world, cast, .. } = scene(pool, 3).await;
    let live = "/v1/decisions/live?seconds=1";
    let watched = world.get(live, &cast.viewer).await.ok(200);
    assert_eq!(watched.header("content-type"), "text/event-stream");
    let events: Vec<&str> = watched
        .text
        .lines()
        .filter(|line| line.starts_with("id: dec_"))
        .collect();
    assert_eq!(events.len(), 3, "{}", watched.text);
    // The last that was seen; those before it may have been stored after it.
    let (_, last) = events[2].split_once(' ').expect("an id");
    let later = world
        .call_with(
            Method::GET,
            live,
            &cast.viewer,
            None,
            &[("last-event-id", last)],
        )
        .await
        .ok(200);
    let told: Vec<&str> = later
        .text
        .lines()
        .filter(|line| line.starts_with("id: dec_"))
        .collect();
    assert_eq!(told, events);
    let stranger = world.tenant("Stranger").await;
    assert!(
        !world
            .get(live, &stranger.owner)
            .await
            .ok(200)
            .text
            .contains("decision")
    );
    world
        .get("/v1/decisions/live?from=2026-11-25T12:00:00Z", &cast.viewer)
        .await
        .problem(400, "malformed_request");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_candidate_policy_is_replayed_over_what_was_recorded_and_stored_nowhere(pool: PgPool) {
    let Scene { world, cast, .. } = scene(pool, 6).await;
    world.pass(60);
    let versions = world
        .get("/v1/policies/default/versions", &cast.viewer)
        .await
        .ok(200)
        .body;
    let rule = serde_json::json!({
        "id": "candidate", "per": ["customer"], "limit": { "kind": "sliding", "max": 4, "window_seconds": 60 },
    });
    let asked = serde_json::json!({ "policy": { "rules": [rule] } });
    let replay = world
        .post("/v1/policies/replay", &cast.viewer, asked)
        .await
        .ok(200)
        .body;
    assert_eq!(
        (&replay["attempts"], &replay["would_deny"]),
        (&6.into(), &2.into())
    );
    assert_eq!(replay["by_rule"]["candidate"], 2);
    assert_eq!(replay["complete"], true);
    let example = replay["examples"][0]["decision_id"]
        .as_str()
        .expect("a decision");
    world
        .get(&format!("/v1/decisions/{example}"), &cast.viewer)
        .await
        .ok(200);
    let after = world
        .get("/v1/policies/default/versions", &cast.viewer)
        .await
        .ok(200)
        .body;
    assert_eq!(versions, after);
    let faulty =
        serde_json::json!({ "policy": { "rules": [{ "id": "x" }] }, "instance_id": "ins_1" });
    let refused = world
        .post("/v1/policies/replay", &cast.viewer, faulty)
        .await;
    assert!(
        refused
            .problem(422, "validation_failed")
            .pointers()
            .contains(&"/instance_id".to_owned())
    );
    let faulty = serde_json::json!({ "policy": { "rules": [{ "id": "x" }] } });
    let refused = world
        .post("/v1/policies/replay", &cast.viewer, faulty)
        .await;
    let pointers = refused.problem(422, "validation_failed").pointers();
    assert!(
        pointers
            .iter()
            .all(|pointer| pointer.starts_with("/policy/rules/0")),
        "{pointers:?}"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_number_is_looked_up_at_every_instance_though_one_region_does_not_answer(pool: PgPool) {
    // Nobody answers for the meters here; the second instance's policy asks for none.
    let Scene {
        world,
        cast,
        instance,
    } = scene(pool, 1).await;
    let other =
        "arn:aws:connect:eu-west-2:111122223333:instance/99999999-2222-3333-4444-555555555555";
    let other = world.instance(&cast.owner, other).await;
    world.mark_verified(&cast, &other).await;
    let unproved =
        "arn:aws:connect:eu-west-2:111122223333:instance/99999999-2222-3333-4444-666666666666";
    let unproved = world.instance(&cast.owner, unproved).await;
    let policy = serde_json::json!({ "rules": [] });
    world
        .put(
            &format!("/v1/instances/{other}/policy"),
            &cast.owner,
            policy,
        )
        .await
        .ok(200);
    let path = "/v1/numbers/+12065550100";
    let standing = world.get(path, &cast.viewer).await.ok(200).body;
    let at = |id: &str| {
        let data = standing["data"].as_array().expect("a list");
        let found = data.iter().find(|at| at["instance_id"] == id);
        found.expect("the instance").clone()
    };
    let silent = at(&instance);
    assert_eq!(
        (&silent["rules"], &silent["problem"]),
        (&Value::Null, &"aws_unavailable".into())
    );
    let answering = at(&other);
    assert_eq!(
        (&answering["rules"], &answering["problem"]),
        (&serde_json::json!([]), &Value::Null)
    );
    // It may be another tenant's, whose counts are nobody else's to see.
    let nobody_s = at(&unproved);
    assert_eq!(
        (&nobody_s["rules"], &nobody_s["problem"]),
        (&Value::Null, &"instance_not_verified".into())
    );
    let check = serde_json::json!({ "instance_id": unproved, "customer_number": "+12065550100" });
    world
        .post("/v1/checks", &cast.viewer, check)
        .await
        .problem(409, "instance_not_verified");
    world
        .get(&format!("{path}?limit=20"), &cast.viewer)
        .await
        .ok(200);
    world
        .get(&format!("{path}?limit=21"), &cast.viewer)
        .await
        .problem(400, "malformed_request");
}
