//! What the history shows of calls whose records the store did not take at once.

use std::time::Duration;

use ringfence_limiter::Settings;
use ringfence_policy::wire::v1::{Outcome, StopStatus};
use serde_json::json;

use crate::cloud::Fault;
use crate::scene::{Scene, sliding};

async fn scene() -> Scene {
    let settings = Settings {
        decision_deadline: Duration::from_millis(900),
        ..Settings::default()
    };
    Scene::with(settings, json!({"rules": [sliding(&["customer"], 1, 60)]})).await
}

const REFUSED: Fault = Fault::Refuse(400, "AccessDeniedException");

#[tokio::test]
async fn records_that_were_refused_are_written_beside_later_calls() {
    let scene = scene().await;
    scene.cloud.fault("PutItem", REFUSED, 99);
    assert!(scene.dial(1).await.allowed());
    assert!(!scene.dial(2).await.allowed());
    assert!(scene.record(1).await.is_none() && scene.record(2).await.is_none());
    scene.cloud.mend();
    scene.dial(3).await;
    scene
        .until(async || scene.record(1).await.is_some() && scene.record(2).await.is_some())
        .await;
    assert_eq!(scene.record(1).await.unwrap().outcome, Outcome::Allowed);
    let denied = scene.record(2).await.unwrap();
    assert_eq!(
        (denied.outcome, denied.stop),
        (Outcome::Denied, StopStatus::Stopped)
    );
}

#[tokio::test]
async fn a_call_that_went_out_uncounted_comes_into_the_history_once_the_store_is_back() {
    let scene = scene().await;
    scene.dial(1).await;
    for operation in ["UpdateItem", "PutItem"] {
        scene.cloud.fault(operation, REFUSED, 99);
    }
    assert_eq!(scene.dial(2).await.get("Reason"), Some("unavailable"));
    scene.cloud.mend();
    scene.dial(3).await;
    scene
        .until(async || {
            let record = scene.record(2).await;
            record.is_some_and(|record| record.outcome == Outcome::FailedOpen)
        })
        .await;
}

#[tokio::test]
async fn a_call_that_no_policy_was_known_for_comes_into_the_history_by_its_instance() {
    let scene = scene().await;
    scene.cloud.fault("GetItem", REFUSED, 1);
    assert_eq!(scene.dial(1).await.get("Reason"), Some("unavailable"));
    scene.dial(2).await;
    scene.until(async || scene.record(1).await.is_some()).await;
    let record = scene.record(1).await.unwrap();
    assert_eq!(record.outcome, Outcome::FailedOpen);
    assert_eq!(
        (record.tenant_id.as_str(), record.instance_id.as_str()),
        ("", "")
    );
    assert_eq!(
        record.unavailable.as_deref(),
        Some("reading the policy: AccessDeniedException")
    );
}

/// A denial on record is never taken back by what comes late.
#[tokio::test]
async fn a_record_that_comes_late_changes_no_later_word_about_its_contact() {
    let scene = scene().await;
    scene.dial(1).await;
    for operation in ["UpdateItem", "PutItem"] {
        scene.cloud.fault(operation, REFUSED, 1);
    }
    scene.cloud.fault("PutItem", REFUSED, 1);
    assert_eq!(scene.dial(2).await.get("Reason"), Some("unavailable"));
    let late = scene.cloud.hold("PutItem", "failed_open");
    assert!(!scene.dial(2).await.allowed(), "now it is counted");
    scene.until(async || late.waiting() == 1).await;
    late.let_go();
    scene.dial(3).await;
    assert_eq!(scene.record(2).await.unwrap().outcome, Outcome::Denied);
}
