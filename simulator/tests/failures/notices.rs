//! Telling the agent fails: the call is stopped all the same, and the decision says what became of the notice.

use std::time::Duration;

use ringfence_simulator::dev::wait::{Seen, until};
use serde_json::{Value, json};

use crate::stage::{on_stage, one_a_minute, whisper};

async fn notice_of_a_denied_call(fault: Value, wanted: &str) {
    on_stage(one_a_minute("allow"), async |stage| {
        assert!(stage.dial().await?.rang());
        if fault.is_object() {
            stage.fault(fault).await?;
        }
        let call = stage.dial().await?;
        assert!(call.stopped_before_ringing(), "{call:?}");
        let record = stage.record(&call).await?.expect("a record");
        assert_eq!(
            (&record["outcome"], &record["notice"]),
            (&json!("denied"), &json!(wanted)),
            "{record}"
        );
        stage.shows_no_number().await
    })
    .await;
}

#[tokio::test]
async fn a_task_that_is_refused_is_told_on_the_decision() {
    let refused =
        json!({"service": "connect", "operation": "StartTaskContact", "kind": "access_denied"});
    notice_of_a_denied_call(refused, "failed").await;
}

/// An agent's queue holds ten tasks.
#[tokio::test]
async fn a_task_that_finds_the_agents_queue_full_is_told_on_its_decision() {
    on_stage(one_a_minute("allow"), async |stage| {
        for customer in 0..11 {
            let number = format!("+120655502{customer:02}");
            let overrides =
                json!({"CustomerEndpoint": {"Address": number, "Type": "TELEPHONE_NUMBER"}});
            assert!(stage.dial_with(overrides.clone()).await?.rang());
            let call = stage.dial_with(overrides).await?;
            assert!(call.stopped_before_ringing(), "{call:?}");
            let wanted = if customer < 10 { "sent" } else { "queue_full" };
            until(
                "the notice",
                Duration::from_secs(20),
                Duration::from_millis(20),
                async || {
                    let record = stage.record(&call).await?.expect("a record");
                    Ok(if record["notice"] == wanted {
                        Seen::Done(())
                    } else {
                        Seen::not_yet(record)
                    })
                },
            )
            .await?;
        }
        Ok(())
    })
    .await;
}

/// The control plane sends it later; how is tried end to end.
#[tokio::test]
async fn a_task_that_is_throttled_or_fails_on_awss_side_is_deferred_with_all_that_is_needed_to_send_it()
 {
    for kind in ["throttle", "error_500", "unavailable"] {
        on_stage(one_a_minute("allow"), async |stage| {
            assert!(stage.dial().await?.rang());
            stage
                .fault(json!({"service": "connect", "operation": "StartTaskContact", "kind": kind}))
                .await?;
            let call = stage.dial().await?;
            assert!(call.stopped_before_ringing(), "{kind}: {call:?}");
            let record = stage.record(&call).await?.expect("a record");
            assert_eq!(
                (&record["outcome"], &record["notice"]),
                (&json!("denied"), &json!("deferred")),
                "{record}"
            );
            let notice = &record["deferred_notice"];
            for member in ["name", "description", "client_token"] {
                assert!(
                    notice[member].as_str().is_some_and(|text| !text.is_empty()),
                    "{member}: {record}"
                );
            }
            assert_eq!(
                notice["attributes"]["AgentARN"],
                stage.instance.agents[0].arn.as_str(),
                "{record}"
            );
            stage.measured("DeferredNotices", 1).await?;
            stage.shows_no_number().await
        })
        .await;
    }
}

#[tokio::test]
async fn a_task_that_is_started_is_told_on_the_decision() {
    notice_of_a_denied_call(Value::Null, "sent").await;
}

#[tokio::test]
async fn without_a_notice_flow_nobody_is_told() {
    on_stage(one_a_minute("allow"), async |stage| {
        stage
            .publish(one_a_minute("allow"), json!({"notice_flow_id": null}))
            .await?;
        assert!(stage.dial().await?.rang());
        let call = stage.dial().await?;
        assert!(call.stopped_before_ringing(), "{call:?}");
        assert_eq!(
            stage.record(&call).await?.expect("a record")["notice"],
            "no_flow"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn without_an_agent_nobody_is_told() {
    on_stage(one_a_minute("allow"), async |stage| {
        let mut silent = whisper();
        for action in silent["Actions"].as_array_mut().expect("actions") {
            if action["Type"] == "InvokeLambdaFunction" {
                action["Parameters"]["LambdaInvocationAttributes"]
                    .as_object_mut()
                    .expect("parameters")
                    .remove("AgentARN");
            }
        }
        stage.play(&silent).await?;
        assert!(stage.dial().await?.rang());
        let call = stage.dial().await?;
        assert!(call.stopped_before_ringing(), "{call:?}");
        assert_eq!(
            stage.record(&call).await?.expect("a record")["notice"],
            "no_agent"
        );
        assert_eq!(
            stage.sim.tasks(&stage.instance.instance_arn).await?.len(),
            0
        );
        Ok(())
    })
    .await;
}
