//! A store that is slow, down, or refuses while an attempt is to be counted.

use std::time::Duration;

use ringfence_simulator::dev::wait::{Seen, until};
use serde_json::json;

use crate::stage::{OPERATOR, on_stage, one_a_minute};

#[tokio::test]
async fn a_slow_store_lets_the_call_out_in_time() {
    on_stage(one_a_minute("allow"), async |stage| {
        assert!(stage.dial().await?.rang());
        let slow = json!({"service": "dynamodb", "operation": "UpdateItem", "kind": "delay_ms", "delay_ms": 6000});
        stage.fault(slow).await?;
        let call = stage.dial().await?;
        assert!(call.rang(), "{call:?}");
        assert_eq!(call.told("Reason"), Some("unavailable"), "{call:?}");
        let record = stage.record(&call).await?.expect("a record");
        assert_eq!(record["outcome"], "failed_open");
        assert_eq!(record["unavailable"], "the store did not answer in time");
        let took = record["decided_in_ms"].as_u64().expect("a time");
        assert!((1_400..5_000).contains(&took), "at the deadline, not when the store answers: {took} ms");
        stage.measured("FailOpens", 1).await
    })
    .await;
}

#[tokio::test]
async fn a_slow_store_stops_the_call_where_the_policy_says_so() {
    on_stage(one_a_minute("deny"), async |stage| {
        let slow = json!({"service": "dynamodb", "operation": "UpdateItem", "kind": "delay_ms", "delay_ms": 6000, "count": 3});
        stage.fault(slow).await?;
        let call = stage.dial().await?;
        assert!(call.stopped_before_ringing(), "{call:?}");
        assert_eq!((call.told("Reason"), call.told("Stopped")), (Some("unavailable"), Some("true")), "{call:?}");
        let record = stage.record(&call).await?.expect("a record");
        assert_eq!((&record["outcome"], &record["stop"]), (&json!("failed_closed"), &json!("stopped")));
        stage.measured("FailOpens", 0).await
    })
    .await;
}

#[tokio::test]
async fn a_store_that_refuses_or_fails_is_a_fail_open_told_by_its_code() {
    on_stage(one_a_minute("allow"), async |stage| {
        for (number, (kind, code)) in [
            ("access_denied", "AccessDeniedException"),
            ("error_500", "InternalServerError"),
        ]
        .into_iter()
        .enumerate()
        {
            stage.store_fails("UpdateItem", kind).await?;
            let call = stage.dial().await?;
            assert!(call.rang(), "{kind}: {call:?}");
            assert_eq!(call.told("Reason"), Some("unavailable"), "{call:?}");
            let record = stage.record(&call).await?.expect("a record");
            assert_eq!(record["unavailable"], format!("counting: {code}"));
            stage.measured("FailOpens", number as u64 + 1).await?;
            stage.mend().await?;
        }
        assert!(
            stage.dial().await?.rang(),
            "what was not counted charges nobody"
        );
        assert!(stage.dial().await?.stopped_before_ringing());
        stage.shows_no_number().await
    })
    .await;
}

#[tokio::test]
async fn with_the_whole_store_down_every_fail_open_is_counted_and_comes_into_the_history() {
    on_stage(one_a_minute("allow"), async |stage| {
        assert!(stage.dial().await?.rang());
        stage
            .fault(json!({"service": "dynamodb", "kind": "unavailable", "account_id": OPERATOR}))
            .await?;
        let mut missed = Vec::new();
        for _ in 0..3 {
            let call = stage.dial().await?;
            assert!(call.rang(), "{call:?}");
            assert_eq!(call.told("Reason"), Some("unavailable"), "{call:?}");
            missed.push(call);
        }
        stage.measured("FailOpens", 3).await?;
        stage.measured("UndeliveredRecords", 3).await?;
        stage.mend().await?;
        for call in &missed {
            let record = stage.recorded_late(call).await?;
            assert_eq!(
                (&record["outcome"], &record["tenant_id"]),
                (&json!("failed_open"), &json!("ten_1"))
            );
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_store_has_counted_charges_once() {
    on_stage(one_a_minute("allow"), async |stage| {
        let lost = json!({"service": "dynamodb", "operation": "UpdateItem", "kind": "lost_response", "count": 1});
        stage.fault(lost).await?;
        let call = stage.dial().await?;
        assert!(call.rang(), "{call:?}");
        assert_eq!(call.told("Reason"), None, "asked again in time: {call:?}");
        assert_eq!(stage.record(&call).await?.expect("a record")["outcome"], "allowed");
        assert!(stage.dial().await?.stopped_before_ringing());
        stage.measured("FailOpens", 0).await
    })
    .await;
}

#[tokio::test]
async fn a_request_that_the_store_carries_out_after_a_denial_charges_nobody() {
    let limit = |max: u32| json!({"kind": "sliding", "max": max, "window_seconds": 600});
    let policy = json!({"rules": [
        {"id": "customer", "per": ["customer"], "limit": limit(1)},
        {"id": "caller", "per": ["caller_id"], "limit": limit(2)},
    ]});
    on_stage(policy, async |stage| {
        assert!(stage.dial().await?.rang());
        let late = json!({
            "service": "dynamodb", "operation": "UpdateItem", "containing": "|caller_id|", "kind": "late",
            "delay_ms": 1500, "count": 1,
        });
        stage.fault(late).await?;
        assert!(stage.dial().await?.stopped_before_ringing());
        until("the late request", Duration::from_secs(20), Duration::from_millis(20), async || {
            Ok(match stage.charged().await? {
                3 => Seen::Done(()),
                held => Seen::not_yet(held),
            })
        })
        .await?;
        let another = json!({"CustomerEndpoint": {"Address": "+12065550143", "Type": "TELEPHONE_NUMBER"}});
        let call = stage.dial_with(another.clone()).await?;
        assert!(call.rang(), "the caller's second: {call:?}");
        assert!(stage.dial_with(another).await?.stopped_before_ringing());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_emergency_call_goes_out_whatever_is_down() {
    on_stage(one_a_minute("deny"), async |stage| {
        assert!(stage.dial().await?.rang());
        for operation in ["UpdateItem", "PutItem"] {
            stage.store_fails(operation, "unavailable").await?;
        }
        // As digits that the flow itself does not know for an emergency number.
        let emergency = json!({"CustomerEndpoint": {"Address": "112", "Type": "TELEPHONE_NUMBER"}});
        let call = stage.dial_with(emergency).await?;
        assert!(call.rang(), "{call:?}");
        assert_eq!(call.told("Reason"), Some("emergency"), "{call:?}");
        Ok(())
    })
    .await;
}
