//! What an invocation is measured by, as it leaves the limiter.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringfence_limiter::{Limiter, Settings};
use serde_json::{Value, json};

use crate::cloud::Fault;
use crate::scene::{CALLER, CUSTOMER, Scene, event, sliding};

/// A scene whose limiter writes its lines down.
struct Measured {
    scene: Scene,
    limiter: Limiter,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Measured {
    async fn new() -> Self {
        let settings = Settings {
            decision_deadline: Duration::from_millis(900),
            ..Settings::default()
        };
        let policy =
            json!({"rules": [sliding(&["customer"], 1, 60), sliding(&["caller_id"], 9, 60)]});
        let scene = Scene::with(settings, policy).await;
        let lines = Arc::new(Mutex::new(Vec::new()));
        let written = lines.clone();
        let limiter = scene
            .new_limiter()
            .measured_by(move |line| written.lock().unwrap().push(line.to_owned()));
        Self {
            scene,
            limiter,
            lines,
        }
    }

    /// The one line that an invocation has left.
    async fn line_of(&self, event: Value) -> Value {
        let _ = self.limiter.handle(event, Duration::from_secs(8)).await;
        let mut lines = std::mem::take(&mut *self.lines.lock().unwrap());
        assert_eq!(lines.len(), 1, "one line for each invocation");
        let line = lines.remove(0);
        assert!(!line.contains(CUSTOMER) && !line.contains(CALLER));
        serde_json::from_str(&line).unwrap()
    }
}

#[tokio::test]
async fn an_allowed_call_waits_for_the_store_once_after_the_first_has_read_the_policy() {
    let measured = Measured::new().await;
    let first = measured.line_of(event(1)).await;
    assert_eq!(first["ColdStarts"], 1.0);
    assert_eq!(first["StoreRoundTrips"], 2.0);
    measured.scene.clock.advance_ms(61_000);
    // Old enough to be read anew.
    measured.line_of(event(2)).await;
    measured.scene.clock.advance_ms(2_000);
    let denied = measured.line_of(event(3)).await;
    assert_eq!(denied["Outcome"], "denied");
    assert_eq!(denied["PolicyAgeMs"], 2000.0);
    measured.scene.clock.advance_ms(61_000);
    measured.line_of(event(4)).await;
    let later = measured
        .line_of(crate::scene::event_of(5, "+12065550111", "agent"))
        .await;
    assert_eq!(later["Outcome"], "allowed");
    assert_eq!(later["TenantId"], "ten_1");
    assert_eq!(
        (&later["StoreRoundTrips"], &later["ColdStarts"]),
        (&json!(1.0), &json!(0.0))
    );
}

#[tokio::test]
async fn each_fail_open_stop_failure_and_lost_record_is_counted() {
    let measured = Measured::new().await;
    measured.line_of(event(1)).await;
    measured.scene.cloud.fault(
        "StopContact",
        Fault::Refuse(403, "AccessDeniedException"),
        9,
    );
    let denied = measured.line_of(event(2)).await;
    assert_eq!(
        (&denied["Outcome"], &denied["StopFailures"]),
        (&json!("denied"), &json!(1.0))
    );
    assert_eq!(denied["FailOpens"], 0.0);
    for operation in ["UpdateItem", "PutItem"] {
        measured
            .scene
            .cloud
            .fault(operation, Fault::Refuse(400, "AccessDeniedException"), 99);
    }
    let failed_open = measured.line_of(event(3)).await;
    assert_eq!(
        (&failed_open["Outcome"], &failed_open["FailOpens"]),
        (&json!("failed_open"), &json!(1.0))
    );
    assert!(
        failed_open["UndeliveredRecords"].as_f64().unwrap() >= 1.0,
        "{failed_open}"
    );
}

#[tokio::test]
async fn a_malformed_event_is_counted_and_no_decision() {
    let measured = Measured::new().await;
    let line = measured.line_of(json!({"Details": {}})).await;
    assert_eq!(line["MalformedEvents"], 1.0);
    assert!(line.get("Decisions").is_none() && line.get("Outcome").is_none());
}
