//! The failure table, row by row.

use std::time::{Duration, Instant};

use ringfence_limiter::Settings;
use ringfence_limiter::config::TestPanic;
use ringfence_policy::EntryStatus;
use ringfence_policy::wire::v1::{NoticeStatus, Outcome, StopStatus};
use serde_json::{Value, json};

use crate::cloud::Fault;
use crate::scene::{CALLER, CUSTOMER, INSTANCE, Scene, event, event_of, sliding};

fn policy(on_unavailable: &str) -> Value {
    json!({"on_unavailable": on_unavailable, "rules": [sliding(&["customer"], 1, 60)]})
}

/// With a deadline as short as one attempt at the store.
async fn hurried(on_unavailable: &str) -> Scene {
    let settings = Settings {
        decision_deadline: Duration::from_millis(900),
        ..Settings::default()
    };
    Scene::with(settings, policy(on_unavailable)).await
}

#[tokio::test]
async fn a_malformed_event_is_an_error_that_names_the_field_and_charges_nothing() {
    let scene = Scene::new(policy("allow")).await;
    let mut nameless = event(1);
    nameless["Details"]["ContactData"]["ContactId"] = Value::Null;
    let err = scene.dial_event(nameless).await.unwrap_err();
    assert_eq!(
        err.to_string(),
        "malformed event: Details.ContactData.ContactId is missing"
    );
    assert!(scene.cloud.seen("UpdateItem").is_empty());
}

#[tokio::test]
async fn an_instance_that_is_not_registered_is_let_through_and_not_asked_for_again_at_once() {
    let scene = Scene::new(policy("deny")).await;
    let mut foreign = event(1);
    foreign["Details"]["ContactData"]["InstanceARN"] =
        json!("arn:aws:connect:us-east-1:111122223333:instance/two");
    for _ in 0..2 {
        let answer = scene.dial_event(foreign.clone()).await.unwrap();
        assert_eq!(
            (answer.allowed(), answer.get("Reason")),
            (true, Some("unregistered"))
        );
    }
    let requests =
        ["GetItem", "UpdateItem", "PutItem"].map(|operation| scene.cloud.seen(operation).len());
    assert_eq!(requests, [1, 0, 0]);
}

#[tokio::test]
async fn a_suspended_tenant_is_let_through_uncounted_and_the_history_shows_it() {
    let scene = Scene::new(policy("deny")).await;
    scene
        .publish(2, policy("deny"), json!({"status": "suspended"}))
        .await;
    let answer = scene.dial(1).await;
    assert_eq!(
        (answer.allowed(), answer.get("Reason")),
        (true, Some("suspended"))
    );
    assert_eq!(scene.record(1).await.unwrap().outcome, Outcome::Suspended);
    assert!(scene.cloud.seen("UpdateItem").is_empty());
}

#[tokio::test]
async fn without_any_policy_known_the_call_goes_out_as_unavailable() {
    let scene = hurried("deny").await;
    scene.cloud.fault("GetItem", Fault::Hang, 9);
    let answer = scene.dial(1).await;
    assert_eq!(
        (answer.allowed(), answer.get("Reason")),
        (true, Some("unavailable"))
    );
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_any_more_is_served_from_the_cache() {
    let scene = Scene::new(policy("allow")).await;
    scene.dial(1).await;
    scene.clock.advance_ms(16_000);
    for fault in [Fault::Hang, Fault::Refuse(500, "InternalServerError")] {
        scene.cloud.fault("GetItem", fault, 9);
        assert!(!scene.dial(2).await.allowed(), "{fault:?}");
        scene.cloud.mend();
        scene.clock.advance_ms(6_000);
    }
    scene
        .publish(2, policy("allow"), json!({"schema": 2}))
        .await;
    assert!(
        !scene.dial(3).await.allowed(),
        "an unknown schema is no policy"
    );
}

#[tokio::test]
async fn a_policy_is_read_again_beside_a_decision_and_before_one_only_when_it_is_old() {
    let scene = Scene::new(policy("allow")).await;
    scene.dial(1).await;
    let looser = json!({"rules": [sliding(&["customer"], 2, 60)]});
    scene.publish(3, looser, json!({})).await;
    scene.clock.advance_ms(4_999);
    scene.cloud.forget();
    assert_eq!(scene.dial(2).await.get("PolicyVersion"), Some("1"));
    assert!(scene.cloud.seen("GetItem").is_empty(), "it is young");
    scene.clock.advance_ms(1);
    let answer = scene.dial(3).await;
    assert_eq!(
        answer.get("PolicyVersion"),
        Some("1"),
        "the answer does not wait"
    );
    scene
        .until(async || scene.cloud.seen("GetItem").len() == 1)
        .await;
    let contact = std::sync::atomic::AtomicU64::new(4);
    scene
        .until(async || {
            let contact = contact.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            scene.dial(contact).await.get("PolicyVersion") == Some("3")
        })
        .await;
    scene.publish(2, policy("allow"), json!({})).await;
    scene.clock.advance_ms(15_000);
    scene.cloud.forget();
    assert_eq!(
        scene.dial(90).await.get("PolicyVersion"),
        Some("3"),
        "it never turns back"
    );
    assert_eq!(scene.cloud.seen("GetItem").len(), 1, "it was old");
    scene.publish(4, policy("allow"), json!({})).await;
    scene.clock.advance_ms(15_000);
    assert_eq!(scene.dial(91).await.get("PolicyVersion"), Some("4"));
}

#[tokio::test]
async fn a_store_that_hangs_lets_the_call_out_in_time_and_leaves_a_record() {
    let scene = hurried("allow").await;
    scene.dial(1).await;
    scene.cloud.fault("UpdateItem", Fault::Hang, 9);
    let started = Instant::now();
    let answer = scene.dial(2).await;
    let took = started.elapsed();
    assert_eq!(
        (answer.allowed(), answer.get("Reason")),
        (true, Some("unavailable"))
    );
    assert!(took < Duration::from_millis(900 + 600), "{took:?}");
    let record = scene.record(2).await.unwrap();
    assert_eq!(
        (record.outcome, record.stop),
        (Outcome::FailedOpen, StopStatus::NotNeeded)
    );
    assert_eq!(
        record.unavailable.as_deref(),
        Some("the store did not answer in time")
    );
}

#[tokio::test]
async fn a_store_that_hangs_stops_the_call_where_the_policy_says_so() {
    let scene = hurried("deny").await;
    scene.dial(1).await;
    scene.cloud.fault("UpdateItem", Fault::Hang, 9);
    let answer = scene.dial(2).await;
    assert_eq!(
        (answer.allowed(), answer.get("Reason")),
        (false, Some("unavailable"))
    );
    assert_eq!(answer.get("Stopped"), Some("true"));
    let record = scene.record(2).await.unwrap();
    assert_eq!(
        (record.outcome, record.notice),
        (Outcome::FailedClosed, NoticeStatus::Sent)
    );
    scene.cloud.mend();
    assert!(
        !scene.dial(2).await.allowed(),
        "the same contact gets the same answer"
    );
}

#[tokio::test]
async fn a_store_that_refuses_is_told_by_its_code() {
    let scene = Scene::new(policy("allow")).await;
    scene.cloud.fault(
        "UpdateItem",
        Fault::Refuse(400, "ResourceNotFoundException"),
        9,
    );
    scene.dial(1).await;
    let record = scene.record(1).await.unwrap();
    assert_eq!(
        record.unavailable.as_deref(),
        Some("counting: ResourceNotFoundException")
    );
}

#[tokio::test]
async fn a_throttled_store_is_asked_again() {
    let scene = Scene::new(policy("allow")).await;
    scene.cloud.fault(
        "UpdateItem",
        Fault::Refuse(400, "ProvisionedThroughputExceededException"),
        2,
    );
    assert!(scene.dial(1).await.allowed());
    assert_eq!(scene.record(1).await.unwrap().outcome, Outcome::Allowed);
    assert!(!scene.dial(2).await.allowed());
}

#[tokio::test]
async fn a_record_that_cannot_be_written_changes_no_decision() {
    let scene = hurried("deny").await;
    scene.dial(1).await;
    scene.cloud.fault("PutItem", Fault::Hang, 20);
    assert!(!scene.dial(2).await.allowed());
    scene.clock.advance_ms(61_000);
    assert!(scene.dial(3).await.allowed());
}

#[tokio::test]
async fn emergency_calls_go_out_whatever_is_down() {
    let scene = hurried("deny").await;
    scene.dial(1).await;
    for operation in ["UpdateItem", "PutItem"] {
        scene.cloud.fault(operation, Fault::Hang, 20);
    }
    let answer = scene
        .dial_event(event_of(2, "911", &format!("{INSTANCE}/agent/one")))
        .await
        .unwrap();
    assert_eq!(
        (answer.allowed(), answer.get("Reason")),
        (true, Some("emergency"))
    );
    assert!(scene.cloud.seen("StopContact").is_empty());
}

#[tokio::test]
async fn a_panic_is_a_failure_like_any_other() {
    let scene = Scene::new(policy("allow")).await;
    scene.clock.panic_next(1);
    let answer = scene.dial(1).await;
    assert_eq!(
        (answer.allowed(), answer.get("Reason")),
        (true, Some("unavailable"))
    );
    assert!(
        scene.dial(2).await.allowed(),
        "and the next call is counted as ever"
    );
    assert!(!scene.dial(3).await.allowed());
}

#[tokio::test]
async fn a_panic_while_deciding_ends_as_the_policy_says() {
    let scene = Scene::new(policy("deny")).await;
    assert!(scene.dial(1).await.allowed());
    // The first question for the time is the cache's, the second stands in the decision itself.
    scene.clock.panic_next(2);
    let answer = scene.dial(2).await;
    assert_eq!(
        (
            answer.allowed(),
            answer.get("Reason"),
            answer.get("Stopped")
        ),
        (false, Some("unavailable"), Some("true"))
    );
    let record = scene.record(2).await.unwrap();
    assert_eq!(record.outcome, Outcome::FailedClosed);
    assert_eq!(record.unavailable.as_deref(), Some("the limiter failed"));
}

#[tokio::test]
async fn a_call_denied_without_a_count_is_charged_nowhere() {
    let rules = [
        sliding(&["customer"], 5, 60),
        sliding(&["caller_id"], 5, 60),
    ];
    let scene = Scene::new(json!({"on_unavailable": "deny", "rules": rules})).await;
    scene
        .cloud
        .fault("UpdateItem", Fault::Refuse(400, "AccessDeniedException"), 1);
    assert!(!scene.dial(1).await.allowed());
    let customer = scene.statuses(&format!("customer|{CUSTOMER}")).await;
    let caller = scene.statuses(&format!("caller_id|{CALLER}")).await;
    let mut both = [customer, caller];
    both.sort_by_key(Vec::len);
    assert_eq!(
        both,
        [
            vec![EntryStatus::Void],
            vec![EntryStatus::Void, EntryStatus::Void]
        ],
        "one was refused, one is released, and none can come later"
    );
}

#[tokio::test]
async fn a_denied_contact_is_not_let_go_by_a_later_delivery_that_cannot_be_counted() {
    let scene = Scene::new(policy("allow")).await;
    scene.dial(1).await;
    assert!(!scene.dial(2).await.allowed());
    scene
        .cloud
        .fault("UpdateItem", Fault::Refuse(400, "AccessDeniedException"), 1);
    let again = scene.dial(2).await;
    assert_eq!(
        (again.allowed(), again.get("Stopped")),
        (false, Some("true"))
    );
    assert_eq!(scene.record(2).await.unwrap().outcome, Outcome::Denied);
}

/// Where what cannot be counted is denied, a delivery that counts nothing knows less than the one that was denied by a rule.
#[tokio::test]
async fn a_denied_contact_s_agent_is_told_once_though_a_later_delivery_cannot_be_counted() {
    let scene = Scene::new(policy("deny")).await;
    scene.dial(1).await;
    assert!(!scene.dial(2).await.allowed());
    let first = scene.record(2).await.unwrap();
    assert_eq!(first.notice, NoticeStatus::Sent);
    scene
        .cloud
        .fault("UpdateItem", Fault::Refuse(400, "AccessDeniedException"), 1);
    let again = scene.dial(2).await;
    assert_eq!(
        (again.allowed(), again.get("Stopped"), again.get("Reason")),
        (false, Some("true"), Some("customer"))
    );
    assert_eq!(scene.cloud.seen("StartTaskContact").len(), 1);
    assert_eq!(scene.record(2).await.unwrap(), first);
}

#[tokio::test]
async fn what_only_watches_denies_nothing_because_it_cannot_see() {
    let in_shadow = |mut policy: Value, pointer: &str| {
        policy.pointer_mut(pointer).unwrap()["mode"] = json!("shadow");
        policy
    };
    let mut elsewhere = policy("deny");
    elsewhere["rules"][0]["when"] = json!({"destination_prefixes": ["+44"]});
    let mut watching = sliding(&["caller_id"], 9, 60);
    watching["mode"] = json!("shadow");
    elsewhere["rules"].as_array_mut().unwrap().push(watching);
    for policy in [
        in_shadow(policy("deny"), ""),
        in_shadow(policy("deny"), "/rules/0"),
        elsewhere,
    ] {
        let scene = Scene::new(policy.clone()).await;
        scene
            .cloud
            .fault("UpdateItem", Fault::Refuse(400, "AccessDeniedException"), 1);
        let answer = scene.dial(1).await;
        assert_eq!(
            (answer.allowed(), answer.get("Reason")),
            (true, Some("unavailable")),
            "{policy}"
        );
        assert_eq!(scene.record(1).await.unwrap().outcome, Outcome::FailedOpen);
    }
}

#[tokio::test]
async fn a_panic_after_the_counting_releases_what_was_counted_and_knows_the_numbers() {
    let settings = Settings {
        test_panic: Some(TestPanic::Concluding),
        decision_deadline: Duration::from_secs(6),
        ..Settings::default()
    };
    let scene = Scene::with(settings, policy("deny")).await;
    let answer = scene.dial(1).await;
    assert_eq!(
        (answer.allowed(), answer.get("Reason")),
        (false, Some("unavailable"))
    );
    let record = scene.record(1).await.unwrap();
    assert_eq!(record.outcome, Outcome::FailedClosed);
    assert!(record.customer_number_valid);
    let released = scene.statuses(&format!("customer|{CUSTOMER}")).await;
    assert!(
        released.iter().all(|status| *status == EntryStatus::Void),
        "{released:?}"
    );
}

#[tokio::test]
async fn a_panic_while_the_agent_is_told_leaves_the_call_denied_and_stopped() {
    let settings = Settings {
        test_panic: Some(TestPanic::Notice),
        decision_deadline: Duration::from_secs(6),
        ..Settings::default()
    };
    let scene = Scene::with(settings, policy("allow")).await;
    scene.dial(1).await;
    let answer = scene.dial(2).await;
    assert_eq!(
        (
            answer.allowed(),
            answer.get("Stopped"),
            answer.get("Reason")
        ),
        (false, Some("true"), Some("customer"))
    );
    let record = scene.record(2).await.unwrap();
    assert_eq!(
        (record.outcome, record.notice),
        (Outcome::Denied, NoticeStatus::Failed)
    );
    assert_eq!(
        scene.statuses(&format!("customer|{CUSTOMER}")).await,
        [EntryStatus::Admitted, EntryStatus::Void]
    );
}
