//! Policies that cannot be read.

use std::time::Duration;

use ringfence_simulator::dev::wait::{Seen, until};
use serde_json::json;

use crate::stage::{on_stage, one_a_minute};

#[tokio::test]
async fn with_no_policy_known_the_call_goes_out_and_is_in_the_history_later() {
    on_stage(one_a_minute("deny"), async |stage| {
        stage.store_fails("GetItem", "unavailable").await?;
        let call = stage.dial().await?;
        assert!(call.rang(), "{call:?}");
        assert_eq!(call.told("Reason"), Some("unavailable"), "{call:?}");
        assert_eq!(stage.told(&call).await?["outcome"], "failed_open");
        stage.measured("FailOpens", 1).await?;
        stage.measured("UndeliveredRecords", 1).await?;
        stage.mend().await?;
        let record = stage.recorded_late(&call).await?;
        assert_eq!(record["outcome"], "failed_open");
        assert_eq!(
            record["tenant_id"], "",
            "whose call it was is known to the control plane alone"
        );
        assert_eq!(record["instance_arn"], stage.instance.instance_arn.as_str());
        stage.measured("FailOpens", 1).await
    })
    .await;
}

#[tokio::test]
async fn a_policy_that_was_known_serves_on_and_its_age_is_measured() {
    on_stage(one_a_minute("allow"), async |stage| {
        assert!(stage.dial().await?.rang());
        for kind in ["unavailable", "error_500", "access_denied"] {
            stage.store_fails("GetItem", kind).await?;
            let call = stage.dial().await?;
            assert!(call.stopped_before_ringing(), "{kind}: {call:?}");
            stage.mend().await?;
        }
        // Of a schema that is not known yet.
        stage
            .publish(one_a_minute("allow"), json!({"schema": 2}))
            .await?;
        until(
            "an old policy to serve on",
            Duration::from_secs(20),
            Duration::from_millis(200),
            async || {
                let call = stage.dial().await?;
                assert!(call.stopped_before_ringing(), "{call:?}");
                let lines = stage.lines().await?;
                let oldest = lines
                    .iter()
                    .filter_map(|line| line["PolicyAgeMs"].as_f64())
                    .fold(0.0, f64::max);
                // Older than it may get while it can be read.
                Ok(if oldest > 3_000.0 {
                    Seen::Done(())
                } else {
                    Seen::not_yet(oldest)
                })
            },
        )
        .await?;
        stage.measured("FailOpens", 0).await
    })
    .await;
}
