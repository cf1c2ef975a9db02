//! The limiter itself panics.

use serde_json::json;

use crate::stage::{on_stage, one_a_minute};

#[tokio::test]
async fn a_panic_while_counting_is_a_store_that_is_down() {
    for (on_unavailable, rings, outcome) in [
        ("allow", true, "failed_open"),
        ("deny", false, "failed_closed"),
    ] {
        on_stage(one_a_minute(on_unavailable), async |stage| {
            stage
                .start_function(json!({"RINGFENCE_TEST_PANIC": "counting"}))
                .await?;
            let call = stage.dial().await?;
            assert_eq!(
                (call.rang(), call.stopped_before_ringing()),
                (rings, !rings),
                "{call:?}"
            );
            assert_eq!(call.told("Reason"), Some("unavailable"), "{call:?}");
            let record = stage.record(&call).await?.expect("a record");
            assert_eq!(
                (&record["outcome"], &record["unavailable"]),
                (&json!(outcome), &json!("the limiter failed"))
            );
            stage.measured("FailOpens", u64::from(rings)).await?;
            let lines = stage.lines().await?;
            let told = lines
                .iter()
                .find(|line| line["message"] == "panicked")
                .expect("a line");
            assert!(
                told["place"]
                    .as_str()
                    .is_some_and(|place| place.contains(".rs:")),
                "{told}"
            );
            stage.shows_no_number().await?;
            stage.start_function(json!({})).await?;
            assert!(stage.dial().await?.rang(), "what panicked was not charged");
            assert!(stage.dial().await?.stopped_before_ringing());
            Ok(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_panic_while_the_agent_is_told_denies_all_the_same() {
    on_stage(one_a_minute("allow"), async |stage| {
        stage
            .start_function(json!({"RINGFENCE_TEST_PANIC": "notice"}))
            .await?;
        assert!(stage.dial().await?.rang());
        let call = stage.dial().await?;
        assert!(call.stopped_before_ringing(), "{call:?}");
        assert_eq!(
            (call.told("CallAllowed"), call.told("Reason")),
            (Some("false"), Some("customer")),
            "{call:?}"
        );
        let record = stage.record(&call).await?.expect("a record");
        assert_eq!(
            (&record["outcome"], &record["stop"]),
            (&json!("denied"), &json!("stopped")),
            "{record}"
        );
        stage.measured("FailOpens", 0).await
    })
    .await;
}
