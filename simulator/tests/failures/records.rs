//! The history's writes fail: nothing of a decision changes, and the history is made up for later.

use serde_json::json;

use crate::stage::{on_stage, one_a_minute};

#[tokio::test]
async fn a_record_that_cannot_be_written_changes_no_decision_and_comes_later() {
    on_stage(one_a_minute("deny"), async |stage| {
        stage.store_fails("PutItem", "unavailable").await?;
        let first = stage.dial().await?;
        assert!(first.rang(), "{first:?}");
        assert_eq!(first.told("Reason"), None, "{first:?}");
        let second = stage.dial().await?;
        assert!(second.stopped_before_ringing(), "{second:?}");
        let lines = stage.lines().await?;
        assert!(
            lines
                .iter()
                .any(|line| line["message"] == "decision not recorded" && line["level"] == "ERROR"),
            "{lines:?}"
        );
        assert_eq!(stage.record(&second).await?, None);
        stage.mend().await?;
        assert_eq!(stage.recorded_late(&second).await?["outcome"], "denied");
        assert_eq!(stage.recorded_late(&first).await?["outcome"], "allowed");
        stage.measured("FailOpens", 0).await
    })
    .await;
}

/// Its reservation stays and counts, so that nobody is admitted too much.
#[tokio::test]
async fn a_denied_call_whose_entry_cannot_be_marked_is_denied_all_the_same() {
    on_stage(one_a_minute("allow"), async |stage| {
        assert!(stage.dial().await?.rang());
        let marks = json!({"service": "dynamodb", "operation": "UpdateItem", "kind": "access_denied", "skip": 1});
        stage.fault(marks).await?;
        let call = stage.dial().await?;
        assert!(call.stopped_before_ringing(), "{call:?}");
        assert_eq!(call.told("Reason"), Some("customer"), "{call:?}");
        let record = stage.record(&call).await?.expect("a record");
        assert_eq!((&record["outcome"], &record["stop"]), (&json!("denied"), &json!("stopped")));
        assert_eq!(stage.charged().await?, 2);
        Ok(())
    })
    .await;
}
