//! The function itself is down, throttled or not permitted: a whisper flow cannot hang up, so the call goes on.

use reqwest::Method;
use serde_json::json;

use crate::stage::{FUNCTION, REGION, on_stage, one_a_minute};

#[tokio::test]
async fn a_function_that_cannot_be_invoked_lets_the_call_go_on() {
    on_stage(one_a_minute("deny"), async |stage| {
        assert!(stage.dial().await?.rang());
        for kind in ["throttle", "error_500", "unavailable", "access_denied"] {
            stage
                .fault(json!({"service": "lambda", "operation": "Invoke", "kind": kind}))
                .await?;
            let call = stage.dial().await?;
            assert!(call.rang(), "{kind}: {call:?}");
            assert!(
                call.lambda.iter().all(|entry| entry.response.is_none()),
                "{kind}: {call:?}"
            );
            assert_eq!(stage.record(&call).await?, None);
            stage.mend().await?;
        }
        assert!(
            stage.dial().await?.stopped_before_ringing(),
            "and is limited again afterwards"
        );
        assert_eq!(stage.charged().await?, 1);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_function_whose_permission_was_taken_away_lets_the_call_go_on() {
    on_stage(one_a_minute("deny"), async |stage| {
        let path = format!("{FUNCTION}/policy/instance");
        stage
            .operator
            .lambda(REGION, Method::DELETE, &path, None)
            .await?;
        for _ in 0..2 {
            let call = stage.dial().await?;
            assert!(call.rang(), "{call:?}");
            assert!(
                call.lambda.iter().all(|entry| entry.response.is_none()),
                "{call:?}"
            );
        }
        assert_eq!(stage.lines().await?.len(), 0, "nothing ran");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_function_that_ends_at_its_start_lets_the_call_go_on() {
    on_stage(one_a_minute("deny"), async |stage| {
        stage
            .start_function(json!({"RINGFENCE_DECISION_DEADLINE_MS": "soon"}))
            .await?;
        for _ in 0..2 {
            let call = stage.dial().await?;
            assert!(call.rang(), "{call:?}");
        }
        assert_eq!(stage.charged().await?, 0);
        Ok(())
    })
    .await;
}
