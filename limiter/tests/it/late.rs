//! Requests that the store carries out after the limiter has given them up, repeated them, and answered.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ringfence_limiter::Settings;
use ringfence_policy::EntryStatus::{self, Admitted, Charged, Void};
use ringfence_policy::{ContactKey, Entry};
use serde_json::{Value, json};

use crate::cloud::{Fault, Hold};
use crate::scene::{CUSTOMER, Scene, contact_id, sliding, until_quiet};

fn customer() -> String {
    format!("customer|{CUSTOMER}")
}

/// The SDK gives a request up, and repeats it, after a third of the decision's deadline.
async fn with_a_deadline(deadline_ms: u64, policy: Value) -> Scene {
    let settings = Settings {
        decision_deadline: Duration::from_millis(deadline_ms),
        ..Settings::default()
    };
    Scene::with(settings, policy).await
}

/// The contact's reservation as it stands in a request.
fn reservation(contact: u64, at: &str) -> String {
    let digits = contact_id(contact).replace('-', "");
    let contact = u128::from_str_radix(&digits, 16).unwrap();
    let at: jiff::Timestamp = at.parse().unwrap();
    let entry = Entry {
        status: Admitted,
        at_ms: at.as_millisecond() as u64,
        contact: ContactKey(contact.to_be_bytes()),
    };
    BASE64_STANDARD.encode(entry.encode())
}

async fn comes_late(scene: &Scene, late: &Arc<Hold>, becomes: &[EntryStatus]) {
    late.let_go();
    scene
        .until(async || scene.log(&customer()).await.len() == becomes.len())
        .await;
    assert_eq!(scene.statuses(&customer()).await, becomes);
}

#[tokio::test]
async fn a_reservation_that_the_store_takes_after_the_denial_counts_for_nothing() {
    let scene = with_a_deadline(3_000, json!({"rules": [sliding(&["customer"], 1, 60)]})).await;
    assert!(scene.dial(1).await.allowed());
    scene.clock.advance_ms(30_000);
    let late = scene.cloud.hold_first(1, "UpdateItem", "list_append");
    assert!(!scene.dial(2).await.allowed());
    assert_eq!(late.waiting(), 1, "it was given up, and repeated");
    comes_late(&scene, &late, &[Admitted, Void, Admitted]).await;
    scene.clock.advance_ms(30_000);
    assert!(
        scene.dial(3).await.allowed(),
        "the first has left the window, and a denied call is charged nowhere"
    );
}

#[tokio::test]
async fn a_reservation_taken_after_an_uncounted_denial_counts_for_nothing() {
    let policy = json!({"on_unavailable": "deny", "rules": [sliding(&["customer"], 1, 60)]});
    let scene = with_a_deadline(900, policy).await;
    let reservation = reservation(1, "2026-11-25T18:00:00Z");
    let late = scene.cloud.hold("UpdateItem", &reservation);
    let answer = scene.dial(1).await;
    assert_eq!(
        (answer.allowed(), answer.get("Reason")),
        (false, Some("unavailable"))
    );
    let given_up = late.waiting();
    assert!(given_up > 0);
    let becomes = [vec![Void], vec![Admitted; given_up]].concat();
    comes_late(&scene, &late, &becomes).await;
    assert!(scene.dial(2).await.allowed());
}

/// What was let go uncounted may be counted late: the call did go out.
#[tokio::test]
async fn a_reservation_taken_after_its_call_was_let_go_uncounted_counts() {
    let policy = json!({"on_unavailable": "allow", "rules": [sliding(&["customer"], 1, 60)]});
    let scene = with_a_deadline(900, policy).await;
    let reservation = reservation(1, "2026-11-25T18:00:00Z");
    let late = scene.cloud.hold("UpdateItem", &reservation);
    assert!(scene.dial(1).await.allowed());
    let given_up = late.waiting();
    comes_late(&scene, &late, &vec![Admitted; given_up]).await;
    assert!(!scene.dial(2).await.allowed());
}

#[tokio::test]
async fn a_late_reservation_does_not_lengthen_a_series() {
    let scene = with_a_deadline(3_000, json!({"rules": [until_quiet(2)]})).await;
    assert!(scene.dial(1).await.allowed());
    let late = scene.cloud.hold_first(1, "UpdateItem", "list_append");
    assert!(!scene.dial(2).await.allowed());
    comes_late(&scene, &late, &[Admitted, EntryStatus::Denied, Admitted]).await;
    scene.dial(3).await;
    let rules = scene.record(3).await.unwrap().rules;
    assert_eq!(rules[0].count, Some(2), "two attempts came before");
}

/// A released place hides what comes late, never the call that went out for want of a stop.
#[tokio::test]
async fn a_call_that_was_not_stopped_counts_behind_its_released_place() {
    let rules = [sliding(&["customer"], 1, 60)];
    let scene = Scene::new(json!({ "rules": rules })).await;
    assert!(scene.dial(1).await.allowed());
    scene.clock.advance_ms(30_000);
    let refused = Fault::Refuse(403, "AccessDeniedException");
    scene.cloud.fault("StopContact", refused, 1);
    assert_eq!(scene.dial(2).await.get("Stopped"), Some("false"));
    assert_eq!(scene.statuses(&customer()).await, [Admitted, Void, Charged]);
    scene.clock.advance_ms(30_000);
    assert!(!scene.dial(3).await.allowed());
}
