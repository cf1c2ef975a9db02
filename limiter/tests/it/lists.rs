//! Exempt and blocked numbers.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ringfence_policy::EntryStatus::{Admitted, Void};
use ringfence_policy::wire::v1::{NoticeStatus, Outcome};
use ringfence_policy::{ContactKey, Entry};
use serde_json::{Value, json};

use crate::cloud::Fault;
use crate::scene::{CUSTOMER, Scene, contact_id, event, sliding};

async fn scene(policy: Value) -> Scene {
    let scene = Scene::new(policy.clone()).await;
    scene
        .publish(2, policy, json!({"has_listed_numbers": true}))
        .await;
    scene
}

fn once() -> Value {
    json!({"rules": [sliding(&["customer"], 1, 60)]})
}

fn customer() -> String {
    format!("customer|{CUSTOMER}")
}

#[tokio::test]
async fn an_exempt_number_goes_out_over_the_limit_and_charges_nothing() {
    let scene = scene(once()).await;
    scene.dial(1).await;
    scene.list_number(CUSTOMER, "exemption", None).await;
    for contact in 2..5 {
        let answer = scene.dial(contact).await;
        assert_eq!(
            (answer.allowed(), answer.get("Reason")),
            (true, Some("exempt"))
        );
        assert_eq!(
            scene.record(contact).await.unwrap().outcome,
            Outcome::Exempt
        );
    }
    assert_eq!(
        scene.statuses(&customer()).await,
        [Admitted, Void, Void, Void]
    );
    scene.list_number(CUSTOMER, "none", None).await;
    assert!(!scene.dial(5).await.allowed(), "taken off the list");
    assert!(
        scene.dial(4).await.allowed(),
        "the same contact, the same answer"
    );
    assert_eq!(
        scene.statuses(&customer()).await,
        [Admitted, Void, Void, Void, Void, Void],
        "and still charged nowhere"
    );
}

/// The number is listed between two deliveries of one contact, the first of which takes its place behind the second one's.
#[tokio::test]
async fn a_contact_that_is_let_go_as_exempt_is_charged_nowhere_whichever_delivery_stands_last() {
    let scene = std::sync::Arc::new(scene(once()).await);
    scene.dial(1).await;
    let entry = Entry {
        status: Admitted,
        at_ms: "2026-11-25T18:00:00Z"
            .parse::<jiff::Timestamp>()
            .unwrap()
            .as_millisecond() as u64,
        contact: ContactKey(*uuid::Uuid::try_parse(&contact_id(2)).unwrap().as_bytes()),
    };
    let appending = BASE64_STANDARD.encode(entry.encode());
    let append = scene.cloud.hold("UpdateItem", &appending);
    let first = tokio::spawn({
        let scene = scene.clone();
        async move { scene.dial_event(event(2)).await.unwrap() }
    });
    scene
        .until(async || append.waiting() == 1 && scene.record(2).await.is_some())
        .await;
    scene.list_number(CUSTOMER, "exemption", None).await;
    scene.clock.advance_ms(1);
    assert_eq!(scene.dial(2).await.get("Reason"), Some("exempt"));
    append.let_go();
    let first = first.await.unwrap();
    assert_eq!(
        (first.allowed(), first.get("Reason")),
        (true, Some("exempt"))
    );
    assert_eq!(scene.statuses(&customer()).await, [Admitted, Void, Void]);
}

#[tokio::test]
async fn a_blocked_number_is_denied_stopped_and_told_and_charges_nothing() {
    let scene = scene(once()).await;
    let until = "2026-11-25T18:01:40Z";
    scene.list_number(CUSTOMER, "block", Some(until)).await;
    let answer = scene.dial(1).await;
    assert_eq!(
        (answer.allowed(), answer.get("Reason"), answer.get("RuleId")),
        (false, Some("blocked"), None)
    );
    assert_eq!(answer.get("Stopped"), Some("true"));
    assert_eq!(answer.get("RetryAfterSeconds"), Some("100"));
    let record = scene.record(1).await.unwrap();
    assert_eq!(
        (record.outcome, record.notice),
        (Outcome::Denied, NoticeStatus::Sent)
    );
    assert_eq!(record.reason.as_deref(), Some("blocked"));
    assert_eq!(scene.statuses(&customer()).await, [Void]);
}

#[tokio::test]
async fn an_entry_holds_until_exactly_its_expiry() {
    for (list, while_it_holds) in [("block", false), ("exemption", true)] {
        let scene = scene(once()).await;
        scene.dial(1).await;
        let until = Some("2026-11-25T18:00:30Z");
        scene.list_number(CUSTOMER, list, until).await;
        scene.clock.advance_ms(29_999);
        assert_eq!(scene.dial(2).await.allowed(), while_it_holds, "{list}");
        scene.clock.advance_ms(1);
        let after = scene.dial(3).await;
        assert_eq!(
            after.get("Reason"),
            Some("customer"),
            "{list}: counted as ever"
        );
    }
}

#[tokio::test]
async fn a_list_is_looked_at_in_the_same_round_and_only_where_there_is_one() {
    let listed = scene(once()).await;
    listed.dial(1).await;
    listed.cloud.forget();
    let counting = listed.cloud.hold("UpdateItem", "list_append");
    let limiter = listed.limiter.clone();
    let running = tokio::spawn(async move {
        let event = crate::scene::event_of(2, "+12065550101", "");
        limiter
            .handle(event, std::time::Duration::from_secs(8))
            .await
    });
    listed
        .until(async || counting.waiting() == 1 && listed.cloud.seen("GetItem").len() == 1)
        .await;
    counting.let_go();
    assert!(running.await.unwrap().unwrap().allowed());
    let unlisted = Scene::new(once()).await;
    unlisted.dial(1).await;
    unlisted.cloud.forget();
    unlisted.dial(2).await;
    assert!(unlisted.cloud.seen("GetItem").is_empty());
}

#[tokio::test]
async fn with_five_thousand_numbers_listed_a_call_costs_one_look_more_and_no_round() {
    let scene = scene(once()).await;
    scene.list_many(5_000).await;
    scene.dial(1).await;
    scene.cloud.forget();
    scene.clock.advance_ms(60_000);
    let answer = scene.dial(2).await;
    assert!(answer.allowed() && answer.get("Reason").is_none());
    let requests =
        ["UpdateItem", "PutItem", "GetItem"].map(|operation| scene.cloud.seen(operation).len());
    assert_eq!(requests, [1, 1, 2], "one of the two reads the policy anew");
    let first = "+442070000000";
    for (contact, number, reason) in [(3, first, Some("blocked")), (4, "+442070005000", None)] {
        let event = crate::scene::event_of(contact, number, "");
        let answer = scene.dial_event(event).await.unwrap();
        assert_eq!(answer.get("Reason"), reason, "{number}");
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_a_store_that_cannot_be_reached() {
    for (on_unavailable, allowed) in [("allow", true), ("deny", false)] {
        let policy =
            json!({"on_unavailable": on_unavailable, "rules": [sliding(&["customer"], 3, 60)]});
        let scene = scene(policy).await;
        assert!(scene.dial(1).await.allowed());
        let refused = Fault::Refuse(400, "AccessDeniedException");
        scene.cloud.fault("GetItem", refused, 1);
        let answer = scene.dial(2).await;
        assert_eq!(
            (answer.allowed(), answer.get("Reason")),
            (allowed, Some("unavailable"))
        );
        scene.list_number(CUSTOMER, "surprise", None).await;
        let answer = scene.dial(3).await;
        assert_eq!(answer.get("Reason"), Some("unavailable"), "an unknown list");
    }
}

#[tokio::test]
async fn a_block_in_shadow_is_told_and_lets_the_call_out() {
    let mut policy = once();
    policy["mode"] = json!("shadow");
    let scene = scene(policy).await;
    scene.list_number(CUSTOMER, "block", None).await;
    let answer = scene.dial(1).await;
    assert!(answer.allowed());
    let record = scene.record(1).await.unwrap();
    assert_eq!(
        (record.outcome, record.reason.as_deref()),
        (Outcome::WouldDeny, Some("blocked"))
    );
}
