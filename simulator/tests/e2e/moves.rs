//! An instance moves to another limiter function while its agents dial: no call is unlimited, and counts are kept.

use std::time::Duration;

use ringfence_simulator::dev::Result;
use ringfence_simulator::dev::customer::Customer;
use ringfence_simulator::dev::sim::Call;
use ringfence_simulator::dev::wait::{Seen, until};
use serde_json::{Value, json};

use super::harness::{NOBODY, Town, in_town_of};

const MOVED_WITHIN: Duration = Duration::from_secs(120);

/// Moves that are under way.
async fn moves(town: &Town) -> Result<Vec<Value>> {
    let moves = town.stack.rest().get("/v1/shard-moves").await?;
    Ok(moves["data"].as_array().cloned().unwrap_or_default())
}

/// Agents dial one number until `done`; every call that was made.
async fn dial_until(
    customer: &Customer,
    what: &str,
    done: impl AsyncFn() -> Result<bool>,
) -> Result<Vec<Call>> {
    let mut calls = Vec::new();
    let begun = tokio::time::Instant::now();
    while !done().await? {
        assert!(begun.elapsed() < MOVED_WITHIN, "{what} takes too long");
        let (one, other) = tokio::join!(customer.call("ada", NOBODY), customer.call("ben", NOBODY));
        calls.extend([one?, other?]);
    }
    Ok(calls)
}

/// How often the function's policy admits the instance.
async fn admitted(town: &Town, customer: &Customer, function: &str) -> Result<usize> {
    let path = format!("{}/policy", function.rsplit(':').next().unwrap_or_default());
    let policy = town
        .stack
        .operator()
        .lambda("us-east-1", reqwest::Method::GET, &path, None)
        .await;
    Ok(policy.map_or(0, |answer| {
        let policy = answer["Policy"].as_str().unwrap_or_default();
        policy.matches(customer.arn()).count()
    }))
}

#[tokio::test]
async fn calls_during_a_move_to_another_function_are_limited_and_counted_as_ever() {
    let with_two = |settings: &mut ringfence_simulator::dev::stack::Settings| {
        settings.limiters_per_region = 2;
    };
    in_town_of(with_two, async |town| {
        // Two calls ring before the move, two in it, and no other: the fifth and all later ones are denied.
        let customer = town.limited("Northwind", "111122220001").await?;
        let mut calls = Vec::new();
        for _ in 0..2 {
            calls.push(customer.call("ada", NOBODY).await?);
        }
        let wanted = json!({ "instance_id": customer.id });
        let begun = town.stack.rest().post("/v1/shard-moves", &wanted).await?;
        let (from, to) = (&begun["from"], &begun["to"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        calls.extend(
            dial_until(&customer, "repointing", async || {
                Ok(moves(town).await?[0]["repointed_at"] != Value::Null)
            })
            .await?,
        );
        assert_eq!(admitted(town, &customer, &text(from)).await?, 1);
        assert_eq!(admitted(town, &customer, &text(to)).await?, 1);
        // Five minutes pass.
        let later =
            "update shard_assignments set repointed_at = repointed_at - interval '5 minutes'";
        town.stack.ask_database(later).await?;
        calls.extend(
            dial_until(&customer, "leaving", async || {
                Ok(moves(town).await?.is_empty())
            })
            .await?,
        );
        assert_eq!(admitted(town, &customer, &text(from)).await?, 0);
        assert_eq!(admitted(town, &customer, &text(to)).await?, 1);
        calls.push(customer.call("ada", NOBODY).await?);
        let rang = calls.iter().filter(|call| call.rang()).count();
        assert!(calls.len() > 8, "only {} calls", calls.len());
        assert_eq!(rang, 4, "{calls:?}");
        let stopped = calls.iter().filter(|call| call.stopped_before_ringing());
        assert_eq!(stopped.count(), calls.len() - 4, "{calls:?}");
        // Each was decided by a limiter: none took the flow's way for a function that is closed or down.
        assert!(
            calls.iter().all(|call| call.told("CallAllowed").is_some()),
            "{calls:?}"
        );
        until(
            "the decisions",
            Duration::from_secs(30),
            Duration::from_millis(300),
            async || {
                let page = customer.rest.get("/v1/decisions?limit=100").await?;
                let known = page["data"].as_array().map_or(0, Vec::len);
                match known == calls.len().min(100) {
                    true => Ok(Seen::Done(())),
                    false => Ok(Seen::not_yet(format!("{known} of {}", calls.len()))),
                }
            },
        )
        .await
    })
    .await;
}
