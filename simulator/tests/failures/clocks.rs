//! Hosts' clocks differ.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::stage::{REGION, Stage, on_stage, one_a_minute};

/// An attempt that another host has counted, whose clock is this much ahead or behind.
async fn counted_elsewhere(stage: &Stage, ahead_ms: i64) -> ringfence_simulator::dev::Result<()> {
    let request = json!({"TableName": "ringfence-meters", "ConsistentRead": true});
    let found = stage.operator.dynamodb(REGION, "Scan", &request).await?;
    let meter = &found["Items"][0];
    let own = STANDARD
        .decode(meter["log"]["L"][0]["B"].as_str().expect("an entry"))
        .expect("base64");
    // What became of it, six bytes of milliseconds, sixteen of the contact.
    let at = own[1..7]
        .iter()
        .fold(0_i64, |ms, byte| ms << 8 | i64::from(*byte))
        + ahead_ms;
    let mut entry = vec![0];
    entry.extend(&at.to_be_bytes()[2..]);
    entry.extend([7; 16]);
    let item = json!({"pk": meter["pk"], "ttl": meter["ttl"], "log": {"L": [{"B": STANDARD.encode(entry)}]}});
    let request = json!({"TableName": "ringfence-meters", "Item": item});
    stage
        .operator
        .dynamodb(REGION, "PutItem", &request)
        .await
        .map(drop)
}

#[tokio::test]
async fn an_attempt_counts_no_earlier_than_one_before_it_whose_host_is_ahead_or_behind() {
    on_stage(one_a_minute("allow"), async |stage| {
        assert!(stage.dial().await?.rang());
        for (ahead_ms, waits) in [(2_000, 60), (-2_000, 58)] {
            counted_elsewhere(stage, ahead_ms).await?;
            let call = stage.dial().await?;
            assert!(call.stopped_before_ringing(), "{call:?}");
            let wait: i64 = call
                .told("RetryAfterSeconds")
                .expect("a wait")
                .parse()
                .expect("a number");
            assert!(
                (waits - 15..=waits + 2).contains(&wait),
                "{ahead_ms} ms: {wait} s"
            );
        }
        Ok(())
    })
    .await;
}
