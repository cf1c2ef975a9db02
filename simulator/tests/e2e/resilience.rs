//! Parts fail; limits hold, and what was begun is finished.

use std::time::Duration;

use ringfence_simulator::dev::Result;
use ringfence_simulator::dev::customer::Customer;
use ringfence_simulator::dev::rest::list;
use ringfence_simulator::dev::wait::{Seen, until};
use serde_json::{Value, json};

use super::harness::{NOBODY, in_town};

#[tokio::test]
async fn limits_hold_while_the_control_plane_is_down() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        assert!(customer.call("ada", NOBODY).await?.rang());
        town.stack.kill_api().await?;
        for number in 2..=6 {
            let call = customer.call("ada", NOBODY).await?;
            assert_eq!(call.rang(), number < 5, "call {number}: {call:?}");
            assert_eq!(
                call.stopped_before_ringing(),
                number >= 5,
                "call {number}: {call:?}"
            );
        }
        let tasks = customer.sim.tasks(customer.arn()).await?;
        assert_eq!(
            tasks.len(),
            1,
            "one agent, one customer, one window: {tasks:?}"
        );

        // The decisions made meanwhile are read back afterwards, each once.
        town.stack.restart_api().await?;
        until(
            "the decisions",
            Duration::from_secs(30),
            Duration::from_millis(200),
            async || {
                let outcomes = outcomes(&customer).await?;
                match outcomes
                    == [
                        "allowed", "allowed", "allowed", "allowed", "denied", "denied",
                    ] {
                    true => Ok(Seen::Done(())),
                    false => Ok(Seen::not_yet(format!("{outcomes:?}"))),
                }
            },
        )
        .await
    })
    .await;
}

#[tokio::test]
async fn an_installation_cut_off_half_way_is_finished_without_doubles() {
    in_town(async |town| {
        let rest = town.tenant("Northwind").await?;
        let mut customer = town.customer(&rest, "111122220001", "us-east-1").await?;
        customer.play_own_whisper("Support").await?;
        customer.join("northwind").await?;
        customer.install("merge").await?;
        for attempt in 0..3 {
            // Cut off at a different place each time.
            tokio::time::sleep(Duration::from_millis(30 + 60 * attempt)).await;
            town.stack.kill_api().await?;
            town.stack.restart_api().await?;
        }
        customer.installed().await?;
        let flows = town
            .sim
            .get("flows", &[("instance_arn", customer.arn())])
            .await?;
        let kinds = |kind: &str| {
            let flows = flows["data"].as_array().into_iter().flatten();
            flows
                .filter(|flow| flow["tags"]["ringfence-flow"] == kind)
                .count()
        };
        assert_eq!((kinds("notice"), kinds("whisper")), (1, 2), "{flows}");
        assert_fifth_is_denied(&customer).await
    })
    .await;
}

#[tokio::test]
async fn flows_made_and_deleted_with_a_lost_answer_are_in_the_audit_log() {
    in_town(async |town| {
        let rest = town.tenant("Northwind").await?;
        let mut customer = town.customer(&rest, "111122220001", "us-east-1").await?;
        customer.join("northwind").await?;
        for operation in ["CreateContactFlow", "DeleteContactFlow"] {
            let fault = json!({ "service": "connect", "operation": operation, "kind": "lost_response", "count": 2 });
            town.sim.post("faults", &fault).await?;
        }
        customer.install("merge").await?;
        customer.installed().await?;
        customer.uninstall().await?;
        for (action, side) in [("create_flow", "after"), ("delete_flow", "before")] {
            let path = format!("/v1/audit-log?limit=100&action=installation.{action}");
            let page = rest.get(&path).await?;
            let entries = list(&page, "/data")?;
            for name in ["Ringfence notice", "Ringfence outbound whisper"] {
                let is_told = entries.iter().any(|entry| entry[side]["name"] == name);
                assert!(is_told, "{action} of {name}: {entries:?}");
            }
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_queue_that_somebody_re_pointed_is_mended() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        let installed = customer.queue_configs().await?;
        let theirs = customer.play_own_whisper("Sales").await?;
        until(
            "the queue to be mended",
            Duration::from_secs(60),
            Duration::from_millis(300),
            async || {
                let now = customer.queue_configs().await?;
                let runs_theirs = now
                    .iter()
                    .any(|(_, config)| config["OutboundFlowId"] == theirs.as_str());
                match runs_theirs {
                    false => Ok(Seen::Done(())),
                    true => Ok(Seen::not_yet(format!("{now:?}, installed {installed:?}"))),
                }
            },
        )
        .await?;
        assert_fifth_is_denied(&customer).await
    })
    .await;
}

#[tokio::test]
async fn with_the_store_down_calls_go_out_and_are_counted_again_afterwards() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        assert!(customer.call("ada", NOBODY).await?.rang());
        town.sim
            .post(
                "faults",
                &json!({ "service": "dynamodb", "kind": "unavailable" }),
            )
            .await?;
        let call = customer.call("ada", NOBODY).await?;
        assert!(
            call.rang(),
            "the policy's on_unavailable is allow: {call:?}"
        );
        assert_eq!(call.told("Reason"), Some("unavailable"), "{call:?}");
        town.sim.delete("faults").await?;
        for number in 2..=5 {
            let call = customer.call("ada", NOBODY).await?;
            assert_eq!(call.rang(), number < 5, "call {number}: {call:?}");
        }
        // What went out uncounted comes into the history all the same, beside later calls.
        until(
            "the call that was not counted",
            Duration::from_secs(30),
            Duration::from_millis(200),
            async || {
                customer.call("ben", "+12065550188").await?;
                let outcomes = outcomes(&customer).await?;
                let failed_open = outcomes.iter().filter(|outcome| *outcome == "failed_open");
                match failed_open.count() {
                    1 => Ok(Seen::Done(())),
                    _ => Ok(Seen::not_yet(format!("{outcomes:?}"))),
                }
            },
        )
        .await
    })
    .await;
}

#[tokio::test]
async fn a_denied_call_is_stopped_though_connect_throttles_and_fails_at_first() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        for _ in 0..4 {
            assert!(customer.call("ada", NOBODY).await?.rang());
        }
        for kind in ["throttle", "error_500", "lost_response"] {
            let fault = json!({ "service": "connect", "operation": "StopContact", "kind": kind, "count": 1 });
            town.sim.post("faults", &fault).await?;
            let call = customer.call("ada", NOBODY).await?;
            assert!(call.stopped_before_ringing(), "{kind}: {call:?}");
        }
        Ok(())
    })
    .await;
}

async fn assert_fifth_is_denied(customer: &Customer) -> Result<()> {
    for number in 1..=5 {
        let call = customer.call("ben", "+12065550177").await?;
        assert_eq!(call.rang(), number < 5, "call {number}: {call:?}");
    }
    Ok(())
}

async fn outcomes(customer: &Customer) -> Result<Vec<String>> {
    let page = customer
        .rest
        .get(&format!(
            "/v1/decisions?instance_id={}&limit=100",
            customer.id
        ))
        .await?;
    let mut outcomes: Vec<String> = list(&page, "/data")?
        .iter()
        .map(|decision: &Value| decision["outcome"].as_str().unwrap_or_default().to_owned())
        .collect();
    outcomes.sort();
    Ok(outcomes)
}
