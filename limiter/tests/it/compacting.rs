//! A line is shortened, and its past written, only while both are as they were read.

use std::sync::Arc;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use ringfence_policy::EntryStatus::{Admitted, Void};
use ringfence_policy::{ContactKey, Entry, EntryStatus};
use serde_json::json;

use crate::cloud::Hold;
use crate::scene::{CUSTOMER, Scene, sliding};

const STANDING: usize = 40;

fn customer() -> String {
    format!("customer|{CUSTOMER}")
}

/// Old enough to be folded, young enough to count.
fn place(number: usize, status: EntryStatus) -> AttributeValue {
    let at: jiff::Timestamp = "2026-11-25T17:00:00Z".parse().unwrap();
    let entry = Entry {
        status,
        at_ms: at.as_millisecond() as u64,
        contact: ContactKey((number as u128).to_be_bytes()),
    };
    AttributeValue::B(Blob::new(entry.encode()))
}

fn standing() -> Vec<AttributeValue> {
    (0..STANDING)
        .map(|number| place(number, Admitted))
        .collect()
}

/// Above a maximum of 256, old admissions are folded into the past. The write that does it is held back.
async fn about_to_be_shortened() -> (Scene, Arc<Hold>) {
    let rules = [sliding(&["customer"], 300, 86_400)];
    let scene = Scene::new(json!({ "rules": rules })).await;
    scene.put_log(&customer(), standing()).await;
    let compacting = scene.cloud.hold_first(1, "UpdateItem", "REMOVE");
    assert!(scene.dial(1_000).await.allowed());
    scene.until(async || compacting.waiting() == 1).await;
    (scene, compacting)
}

async fn carried_out(scene: &Scene, compacting: &Hold) {
    compacting.let_go();
    scene.until(async || compacting.answered() == 1).await;
}

#[tokio::test]
async fn old_admissions_are_folded_and_count_all_the_same() {
    let (scene, compacting) = about_to_be_shortened().await;
    carried_out(&scene, &compacting).await;
    assert_eq!(scene.log(&customer()).await.len(), 1, "the call's own");
    assert!(scene.past(&customer()).await.is_some());
    scene.dial(1_001).await;
    // A usual call's record has no count: a lower limit makes it tell.
    let rules = [sliding(&["customer"], STANDING as u32 + 2, 86_400)];
    scene.publish(2, json!({ "rules": rules }), json!({})).await;
    scene.clock.advance_ms(60_000);
    assert!(!scene.dial(1_002).await.allowed());
}

#[tokio::test]
async fn nothing_is_folded_onto_a_past_that_has_changed_since() {
    let (scene, compacting) = about_to_be_shortened().await;
    let others = AttributeValue::B(Blob::new(b"what somebody else has folded"));
    scene.put_past(&customer(), others.clone()).await;
    carried_out(&scene, &compacting).await;
    assert_eq!(scene.log(&customer()).await.len(), STANDING + 1);
    assert_eq!(scene.past(&customer()).await, Some(others));
}

/// The same where there was a past before: what is folded stands upon it.
#[tokio::test]
async fn nothing_is_folded_onto_another_past_than_was_read() {
    let (scene, compacting) = about_to_be_shortened().await;
    carried_out(&scene, &compacting).await;
    let first = scene.past(&customer()).await;
    let own = scene.log(&customer()).await.len();
    let mut log = standing();
    log.extend((0..own).map(|number| place(2_000 + number, Admitted)));
    let again = scene.cloud.hold_first(1, "UpdateItem", "REMOVE");
    let (item, past) = (log.clone(), first.clone().unwrap());
    scene.put_log(&customer(), item).await;
    scene.put_past(&customer(), past).await;
    assert!(scene.dial(1_001).await.allowed());
    scene.until(async || again.waiting() == 1).await;
    let others = AttributeValue::B(Blob::new(b"what somebody else has folded"));
    scene.put_past(&customer(), others.clone()).await;
    carried_out(&scene, &again).await;
    assert_eq!(scene.log(&customer()).await.len(), log.len() + 1);
    assert_eq!(scene.past(&customer()).await, Some(others));
}

#[tokio::test]
async fn nothing_is_removed_where_a_place_has_changed_since() {
    let (scene, compacting) = about_to_be_shortened().await;
    let mut log = standing();
    log[STANDING - 1] = place(STANDING - 1, Void);
    scene.put_log(&customer(), log).await;
    carried_out(&scene, &compacting).await;
    assert_eq!(scene.log(&customer()).await.len(), STANDING);
    assert_eq!(scene.past(&customer()).await, None);
}
