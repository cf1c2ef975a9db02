//! The same contact, delivered twice at once: each request of one delivery is held back while the other runs.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use ringfence_limiter::Answer;
use ringfence_policy::EntryStatus::{self, Admitted, Charged, Void, VoidAlone};
use ringfence_policy::wire::v1::Outcome;
use ringfence_policy::{ContactKey, Entry};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::cloud::Fault;
use crate::scene::{CALLER, CUSTOMER, Scene, event, sliding};

const OTHER_CALLER: &str = "+12065550198";

fn customer() -> String {
    format!("customer|{CUSTOMER}")
}

fn place(status: EntryStatus) -> AttributeValue {
    let at: jiff::Timestamp = "2026-11-25T18:00:00Z".parse().unwrap();
    let entry = Entry {
        status,
        at_ms: at.as_millisecond() as u64,
        contact: ContactKey([9; 16]),
    };
    AttributeValue::B(Blob::new(entry.encode()))
}

fn dialling(scene: &Scene, event: Value) -> JoinHandle<Answer> {
    let limiter = scene.limiter.clone();
    tokio::spawn(async move { limiter.handle(event, Duration::from_secs(8)).await.unwrap() })
}

/// A customer whose only place a neighbour holds, who is about to release it.
async fn with_a_neighbour() -> Arc<Scene> {
    let scene = Scene::new(json!({"rules": [sliding(&["customer"], 1, 60)]})).await;
    scene.put_log(&customer(), vec![place(Admitted)]).await;
    Arc::new(scene)
}

async fn neighbour_releases(scene: &Scene) {
    let own = scene.log(&customer()).await.into_iter().skip(1);
    let own = own.map(|entry| AttributeValue::B(Blob::new(entry.encode())));
    let log = [place(Void)].into_iter().chain(own).collect();
    scene.put_log(&customer(), log).await;
}

#[tokio::test]
async fn a_denial_gives_way_to_a_delivery_that_has_settled_that_the_contact_goes() {
    let scene = with_a_neighbour().await;
    let denial = scene.cloud.hold("PutItem", "#settled");
    let first = dialling(&scene, event(1));
    scene.until(async || denial.waiting() == 1).await;
    neighbour_releases(&scene).await;
    assert!(scene.dial(1).await.allowed(), "it finds a free place");
    denial.let_go();
    assert!(
        first.await.unwrap().allowed(),
        "the same contact, the same answer"
    );
    assert_eq!(scene.record(1).await.unwrap().outcome, Outcome::Allowed);
    assert_eq!(
        scene.statuses(&customer()).await,
        [Void, Admitted, Admitted],
        "it has released nothing"
    );
    assert!(!scene.dial(2).await.allowed(), "so nobody takes its place");
    assert!(scene.dial(1).await.allowed(), "and it stays so");
}

#[tokio::test]
async fn once_a_denial_is_on_record_a_place_that_becomes_free_changes_nothing() {
    let scene = with_a_neighbour().await;
    let marks = scene.cloud.hold("UpdateItem", ":old");
    let first = dialling(&scene, event(1));
    scene.until(async || marks.waiting() == 1).await;
    neighbour_releases(&scene).await;
    let second = dialling(&scene, event(1));
    scene.until(async || marks.waiting() == 2).await;
    marks.let_go();
    assert!(!first.await.unwrap().allowed() && !second.await.unwrap().allowed());
    assert_eq!(scene.statuses(&customer()).await, [Void, Void, Void]);
    assert!(
        scene.dial(2).await.allowed(),
        "a denied contact takes no place"
    );
}

/// The delivery that comes second in the line comes first on the record.
#[tokio::test]
async fn a_delivery_that_sees_another_in_the_line_settles_though_it_finds_no_record() {
    let scene = with_a_neighbour().await;
    let first_record = scene.cloud.hold("PutItem", "18:00:00Z");
    let first = dialling(&scene, event(1));
    scene.until(async || first_record.waiting() == 1).await;
    scene
        .until(async || scene.log(&customer()).await.len() == 2)
        .await;
    neighbour_releases(&scene).await;
    scene.clock.advance_ms(1);
    assert!(scene.dial(1).await.allowed(), "it finds a free place");
    first_record.let_go();
    assert!(first.await.unwrap().allowed(), "and so does the first");
}

/// Were the released place given back instead, a contact behind it, let go before, would now find too many before it.
#[tokio::test]
async fn a_stop_that_fails_changes_no_answer_that_others_were_given_meanwhile() {
    let rules = [
        sliding(&["customer"], 1, 60),
        sliding(&["caller_id"], 1, 60),
    ];
    let scene = Scene::new(json!({ "rules": rules })).await;
    scene
        .put_log(&format!("caller_id|{CALLER}"), vec![place(Admitted)])
        .await;
    scene.cloud.fault(
        "StopContact",
        Fault::Refuse(403, "AccessDeniedException"),
        1,
    );
    let stop = scene.cloud.hold("StopContact", "");
    let denied = dialling(&scene, event(1));
    scene
        .until(async || stop.waiting() == 1 && scene.statuses(&customer()).await == [Void])
        .await;
    let mut with_another_caller = event(2);
    with_another_caller["Details"]["ContactData"]["Queue"]["OutboundCallerId"]["Address"] =
        json!(OTHER_CALLER);
    let dial = || scene.dial_event(with_another_caller.clone());
    assert!(dial().await.unwrap().allowed());
    stop.let_go();
    assert_eq!(denied.await.unwrap().get("Stopped"), Some("false"));
    assert_eq!(
        scene.statuses(&customer()).await,
        [Void, Admitted, Charged],
        "the call that was not stopped counts, from now on"
    );
    assert!(dial().await.unwrap().allowed(), "the same answer as before");
}

/// The record settles what a crash left open, whichever step it came at.
#[tokio::test]
async fn a_delivery_that_ends_anywhere_leaves_a_contact_that_is_denied_and_takes_no_place() {
    for (operation, containing) in [
        ("PutItem", "#settled"),
        ("UpdateItem", ":old"),
        ("StopContact", ""),
        ("StartTaskContact", ""),
    ] {
        let scene = with_a_neighbour().await;
        let hold = scene.cloud.hold(operation, containing);
        let first = dialling(&scene, event(1));
        scene.until(async || hold.waiting() == 1).await;
        first.abort();
        let _ = first.await;
        hold.let_go();
        let again = scene.another_limiter();
        let answer = again
            .handle(event(1), Duration::from_secs(8))
            .await
            .unwrap();
        assert!(!answer.allowed(), "ended at {operation} {containing}");
        assert_eq!(answer.get("Stopped"), Some("true"));
        let statuses = scene.statuses(&customer()).await;
        assert_eq!(statuses, [Admitted, Void, Void], "{operation} {containing}");
        assert_eq!(scene.cloud.tasks(), 1, "{operation} {containing}");
    }
}

/// Nobody judges between two deliveries while no record can be written: they may answer differently, but the place of a call
/// that goes out is given to nobody else.
#[tokio::test]
async fn where_no_record_can_be_written_a_contact_that_one_delivery_lets_go_keeps_a_place() {
    let scene = with_a_neighbour().await;
    let refused = Fault::Refuse(400, "AccessDeniedException");
    scene.cloud.fault("PutItem", refused, usize::MAX);
    let marks = scene.cloud.hold("UpdateItem", ":old");
    let denied = dialling(&scene, event(1));
    scene.until(async || marks.waiting() == 1).await;
    let own = scene.log(&customer()).await[1].encode();
    // The neighbour's place is released and compacted away, so the others shift.
    let log = vec![AttributeValue::B(Blob::new(own))];
    scene.cloud.mend();
    scene.put_log(&customer(), log).await;
    scene.cloud.fault("PutItem", refused, usize::MAX);
    scene.clock.advance_ms(1);
    assert!(scene.dial(1).await.allowed(), "it finds nobody before it");
    marks.let_go();
    assert!(!denied.await.unwrap().allowed());
    assert_eq!(scene.statuses(&customer()).await, [VoidAlone, Admitted]);
    assert!(!scene.dial(2).await.allowed(), "the one place is taken");
}

/// Where two deliveries deny and no record can be written, neither knows whose places it sees.
#[tokio::test]
async fn where_no_record_can_be_written_a_repeat_that_is_denied_leaves_the_other_deliverys_places()
{
    let scene = with_a_neighbour().await;
    let refused = Fault::Refuse(400, "AccessDeniedException");
    scene.cloud.fault("PutItem", refused, usize::MAX);
    let marks = scene.cloud.hold("UpdateItem", ":old");
    let first = dialling(&scene, event(1));
    scene.until(async || marks.waiting() == 1).await;
    assert!(!scene.dial(1).await.allowed());
    assert_eq!(
        scene.statuses(&customer()).await,
        [Admitted, Admitted, Admitted],
        "one reservation too many, rather than one too few"
    );
    marks.let_go();
    assert!(!first.await.unwrap().allowed());
    assert_eq!(
        scene.statuses(&customer()).await,
        [Admitted, VoidAlone, Admitted]
    );
}

/// A denied contact's marks may be compacted away while Connect still comes back; then the record alone knows.
#[tokio::test]
async fn a_denial_on_record_is_carried_out_again_and_neither_told_nor_written_anew() {
    let scene = with_a_neighbour().await;
    assert!(!scene.dial(1).await.allowed());
    let record = scene.record(1).await.unwrap();
    scene.put_log(&customer(), vec![place(Admitted)]).await;
    scene.cloud.forget();
    scene.clock.advance_ms(1_000);
    let again = scene.dial(1).await;
    assert_eq!(
        (again.allowed(), again.get("Stopped")),
        (false, Some("true"))
    );
    assert!(scene.cloud.seen("StartTaskContact").is_empty());
    assert!(scene.record(1).await.unwrap() == record);
}

#[tokio::test]
async fn a_contact_whose_denial_is_lost_from_the_records_is_denied_by_its_released_place() {
    let scene = with_a_neighbour().await;
    assert!(!scene.dial(1).await.allowed());
    neighbour_releases(&scene).await;
    scene.lose_record(1).await;
    assert!(!scene.dial(1).await.allowed(), "though a place is free");
    assert_eq!(scene.record(1).await.unwrap().outcome, Outcome::Denied);
}
