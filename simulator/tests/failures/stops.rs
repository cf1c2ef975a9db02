//! Stopping a denied call fails.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use ringfence_simulator::dev::Result;
use ringfence_simulator::dev::sim::Call;
use ringfence_simulator::dev::wait::{Seen, until};
use rustix::process::{Signal, kill_process};
use serde_json::json;

use crate::stage::{REGION, Stage, on_stage, one_a_minute};

async fn stop_fault(stage: &Stage, kind: &str, count: Option<u32>) -> Result<()> {
    let mut fault = json!({"service": "connect", "operation": "StopContact", "kind": kind});
    if let Some(count) = count {
        fault["count"] = json!(count);
    }
    stage.fault(fault).await
}

#[tokio::test]
async fn a_stop_that_is_throttled_or_fails_is_tried_again() {
    on_stage(one_a_minute("allow"), async |stage| {
        assert!(stage.dial().await?.rang());
        for kind in ["throttle", "error_500", "unavailable"] {
            stop_fault(stage, kind, Some(2)).await?;
            let call = stage.dial().await?;
            assert!(call.stopped_before_ringing(), "{kind}: {call:?}");
            assert_eq!(call.told("Stopped"), Some("true"), "{kind}: {call:?}");
            assert_eq!(
                stage.record(&call).await?.expect("a record")["stop"],
                "stopped",
                "{kind}"
            );
        }
        stage.measured("StopFailures", 0).await
    })
    .await;
}

#[tokio::test]
async fn a_contact_that_has_ended_already_is_as_good_as_stopped() {
    on_stage(one_a_minute("allow"), async |stage| {
        assert!(stage.dial().await?.rang());
        stop_fault(stage, "lost_response", Some(1)).await?;
        let call = stage.dial().await?;
        assert!(call.stopped_before_ringing(), "{call:?}");
        assert_eq!(call.told("Stopped"), Some("true"), "{call:?}");
        assert_eq!(
            stage.record(&call).await?.expect("a record")["stop"],
            "already_ended"
        );
        stage.measured("StopFailures", 0).await
    })
    .await;
}

/// The call may go out, so it counts, and the agent is asked to hang up.
async fn assert_not_stopped(stage: &Stage, call: &Call, code: &str) -> Result<()> {
    assert_eq!(
        (call.told("CallAllowed"), call.told("Stopped")),
        (Some("false"), Some("false")),
        "{call:?}"
    );
    let record = stage.record(call).await?.expect("a record");
    assert_eq!(
        (&record["outcome"], &record["stop"]),
        (&json!("denied"), &json!("failed")),
        "{record}"
    );
    assert!(
        record["stop_error"]
            .as_str()
            .is_some_and(|told| told.contains(code)),
        "{record}"
    );
    assert_eq!(stage.charged().await?, 2);
    stage.measured("StopFailures", 1).await?;
    stage.shows_no_number().await
}

#[tokio::test]
async fn a_stop_that_is_refused_is_told_counted_and_left_to_the_agent() {
    on_stage(one_a_minute("allow"), async |stage| {
        assert!(stage.dial().await?.rang());
        stop_fault(stage, "access_denied", None).await?;
        let call = stage.dial().await?;
        assert_not_stopped(stage, &call, "AccessDeniedException").await?;
        let tasks = stage.sim.tasks(&stage.instance.instance_arn).await?;
        assert_eq!(tasks.len(), 1, "{tasks:?}");
        assert!(tasks[0].to_string().contains("ang up"), "{tasks:?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_stop_that_fails_until_time_is_up_is_told_and_counted() {
    on_stage(one_a_minute("allow"), async |stage| {
        assert!(stage.dial().await?.rang());
        stop_fault(stage, "throttle", None).await?;
        let call = stage.dial().await?;
        // With its code, or as a timeout where the last request was still under way.
        assert_not_stopped(stage, &call, "stopping the contact: ").await
    })
    .await;
}

#[tokio::test]
async fn without_the_runtime_role_nothing_can_be_stopped_and_that_is_told() {
    on_stage(one_a_minute("allow"), async |stage| {
        assert!(stage.dial().await?.rang());
        stage
            .fault(json!({"service": "sts", "operation": "AssumeRole", "kind": "access_denied"}))
            .await?;
        let call = stage.dial().await?;
        assert_not_stopped(stage, &call, "AccessDenied").await
    })
    .await;
}

#[tokio::test]
async fn a_role_that_demands_another_external_id_is_a_role_that_cannot_be_assumed() {
    on_stage(one_a_minute("allow"), async |stage| {
        stage
            .publish(
                one_a_minute("allow"),
                json!({"external_id": "somebody-elses"}),
            )
            .await?;
        assert!(stage.dial().await?.rang());
        let call = stage.dial().await?;
        assert_not_stopped(stage, &call, "AccessDenied").await
    })
    .await;
}

/// Ends the function's process as soon as a denial is on record, while its stop is still under way; then goes on so as
/// often as Connect delivers the contact again, or does nothing more.
async fn kill_once_denied(stage: &Stage, again: bool) -> Result<()> {
    let looking = Duration::from_millis(20);
    until(
        "a denial on record",
        Duration::from_secs(20),
        looking,
        async || {
            let request = json!({"TableName": "ringfence-decisions", "ConsistentRead": true});
            let found = stage
                .operator
                .dynamodb(REGION, "Scan", &request)
                .await?
                .to_string();
            let denied = found.contains(r#"\"outcome\":\"denied\""#);
            Ok(if denied {
                Seen::Done(())
            } else {
                Seen::not_yet(found)
            })
        },
    )
    .await?;
    loop {
        for process in stage.function_processes() {
            // It may have ended by itself, which is as good.
            let _ = kill_process(process, Signal::KILL);
        }
        if !again {
            return std::future::pending().await;
        }
        tokio::time::sleep(looking).await;
    }
}

async fn dial_while_killing(stage: &Stage, again: bool) -> Result<Call> {
    let (dialling, killing) = (pin!(stage.dial()), pin!(kill_once_denied(stage, again)));
    match select(dialling, killing).await {
        Either::Left((call, _)) => call,
        Either::Right((failed, _)) => Err(failed.expect_err("it goes on as long as the call")),
    }
}

#[tokio::test]
async fn a_process_that_ends_before_the_stop_leaves_a_denial_that_the_next_delivery_carries_out() {
    on_stage(one_a_minute("allow"), async |stage| {
        assert!(stage.dial().await?.rang());
        stage.fault(json!({"service": "connect", "operation": "StopContact", "kind": "delay_ms", "delay_ms": 60_000, "count": 1})).await?;
        let call = dial_while_killing(stage, false).await?;
        assert!(call.stopped_before_ringing(), "{call:?}");
        let record = stage.record(&call).await?.expect("a record");
        assert_eq!((&record["outcome"], &record["stop"]), (&json!("denied"), &json!("stopped")), "{record}");
        assert_eq!(stage.charged().await?, 1);
        Ok(())
    })
    .await;
}

/// The flow's error branch lets the call go; the record says that it was to be denied and that nothing stopped it.
#[tokio::test]
async fn processes_that_always_end_before_the_stop_leave_a_denial_that_was_not_stopped() {
    on_stage(one_a_minute("allow"), async |stage| {
        assert!(stage.dial().await?.rang());
        stage.fault(json!({"service": "connect", "operation": "StopContact", "kind": "delay_ms", "delay_ms": 60_000})).await?;
        let call = dial_while_killing(stage, true).await?;
        assert!(call.rang(), "{call:?}");
        assert!(call.lambda.iter().all(|entry| entry.response.is_none()), "{call:?}");
        let record = stage.record(&call).await?.expect("a record");
        assert_eq!((&record["outcome"], &record["stop"]), (&json!("denied"), &json!("failed")), "{record}");
        // Whoever denied is gone; the next process decides as before.
        stage.mend().await?;
        let next = stage.dial().await?;
        assert!(next.stopped_before_ringing(), "{next:?}");
        Ok(())
    })
    .await;
}
