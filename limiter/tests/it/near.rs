//! A call that comes near to a limit: what it costs, and that it is told of whatever is repeated.

use ringfence_limiter::Settings;
use ringfence_policy::wire::v1::{DecisionRecord, Outcome};
use serde_json::json;
use std::time::Duration;

use crate::cloud::Fault;
use crate::scene::{CUSTOMER, Scene, event_of, sliding};

const REFUSED: Fault = Fault::Refuse(400, "AccessDeniedException");

/// Of five, so the fourth comes near.
async fn scene() -> Scene {
    let settings = Settings {
        decision_deadline: Duration::from_secs(6),
        ..Settings::default()
    };
    let rules = [
        sliding(&["customer"], 5, 60),
        sliding(&["caller_id"], 40, 60),
    ];
    Scene::with(settings, json!({ "rules": rules })).await
}

/// Of each rule, whether the record says that this call came near to its limit.
fn near(record: &DecisionRecord) -> Vec<bool> {
    record.rules.iter().map(|rule| rule.near).collect()
}

async fn dial_all(scene: &Scene, contacts: std::ops::RangeInclusive<u64>) {
    for contact in contacts {
        assert!(scene.dial(contact).await.allowed());
    }
}

#[tokio::test]
async fn only_the_call_that_comes_near_writes_its_record_again() {
    let scene = scene().await;
    let mut requests = Vec::new();
    for contact in 1..=5 {
        scene.cloud.forget();
        assert!(scene.dial(contact).await.allowed());
        let seen =
            ["UpdateItem", "PutItem", "GetItem"].map(|operation| scene.cloud.seen(operation).len());
        requests.push(seen);
    }
    let (usual, near_it) = ([2, 1, 0], [2, 2, 0]);
    assert_eq!(requests[0], [2, 1, 1], "the first one reads the policy");
    assert_eq!(requests[1..], [usual, usual, near_it, usual]);
    for contact in [1, 2, 3, 5] {
        let record = scene.record(contact).await.unwrap();
        assert_eq!(record.rules[0].count, None);
        assert_eq!(near(&record), [false, false]);
    }
    let record = scene.record(4).await.unwrap();
    assert_eq!(record.outcome, Outcome::Allowed);
    assert_eq!(near(&record), [true, false]);
    assert_eq!((record.rules[0].count, record.rules[0].limit), (Some(3), 5));
}

#[tokio::test]
async fn a_contact_that_comes_near_and_is_delivered_again_leaves_the_same_record() {
    let scene = scene().await;
    dial_all(&scene, 1..=4).await;
    let first = scene.record(4).await.unwrap();
    scene.clock.advance_ms(2_000);
    dial_all(&scene, 5..=5).await;
    scene.cloud.forget();
    let again = scene.another_limiter();
    let answer = again
        .handle(crate::scene::event(4), Duration::from_secs(8))
        .await;
    assert!(answer.unwrap().allowed());
    assert_eq!(
        scene.cloud.seen("PutItem").len(),
        1,
        "which finds it settled"
    );
    assert_eq!(scene.record(4).await.unwrap(), first);
}

/// What a process left untold that ended between the count and the record, the next delivery tells.
#[tokio::test]
async fn a_delivery_that_ends_before_it_has_told_leaves_it_to_the_next_one() {
    let scene = std::sync::Arc::new(scene().await);
    dial_all(&scene, 1..=3).await;
    let telling = scene.cloud.hold("PutItem", "near");
    let limiter = scene.limiter.clone();
    let first = tokio::spawn(async move {
        let event = crate::scene::event(4);
        limiter.handle(event, Duration::from_secs(8)).await
    });
    scene.until(async || telling.waiting() == 1).await;
    first.abort();
    let _ = first.await;
    assert_eq!(near(&scene.record(4).await.unwrap()), [false, false]);
    telling.let_go();
    dial_all(&scene, 4..=4).await;
    assert_eq!(near(&scene.record(4).await.unwrap()), [true, false]);
}

#[tokio::test]
async fn a_record_that_cannot_be_written_again_keeps_no_call_back_and_is_put_beside_a_later_one() {
    let scene = scene().await;
    dial_all(&scene, 1..=3).await;
    scene.cloud.fault("PutItem", REFUSED, 2);
    assert!(scene.dial(4).await.allowed());
    assert!(scene.record(4).await.is_none());
    scene.cloud.mend();
    dial_all(&scene, 5..=5).await;
    scene
        .until(async || {
            let record = scene.record(4).await;
            record.is_some_and(|record| near(&record) == [true, false])
        })
        .await;
}

/// Another delivery's denial stands: one under an earlier policy, say.
#[tokio::test]
async fn a_call_that_comes_near_gives_way_to_a_denial_and_is_not_told_of() {
    let scene = scene().await;
    dial_all(&scene, 1..=4).await;
    let mut denied = scene.record(4).await.unwrap();
    denied.outcome = Outcome::Denied;
    denied.rules[0].near = false;
    scene.lose_record(4).await;
    let telling = scene.cloud.hold("PutItem", "near");
    let again = scene.limiter.clone();
    let delivery = tokio::spawn(async move {
        let event = crate::scene::event(4);
        again.handle(event, Duration::from_secs(8)).await.unwrap()
    });
    scene.until(async || telling.waiting() == 1).await;
    scene.put_record(&denied).await;
    telling.let_go();
    assert!(!delivery.await.unwrap().allowed());
    let record = scene.record(4).await.unwrap();
    assert_eq!(
        (record.outcome, near(&record)),
        (Outcome::Denied, vec![false, false])
    );
}

#[tokio::test]
async fn emergency_and_exempt_calls_come_near_to_nothing() {
    let scene = scene().await;
    dial_all(&scene, 1..=3).await;
    let emergency = scene.dial_event(event_of(4, "911", "")).await;
    assert!(emergency.unwrap().allowed());
    assert_eq!(scene.record(4).await.unwrap().rules.len(), 0);
    let policy = json!({"rules": [sliding(&["customer"], 5, 60), sliding(&["caller_id"], 40, 60)]});
    let listed = json!({"has_listed_numbers": true});
    scene.publish(2, policy, listed).await;
    scene.list_number(CUSTOMER, "exemption", None).await;
    scene.clock.advance_ms(20_000);
    dial_all(&scene, 5..=5).await;
    let record = scene.record(5).await.unwrap();
    assert_eq!(
        (record.outcome, near(&record)),
        (Outcome::Exempt, vec![false, false])
    );
}
