//! What a tenant says about single numbers, and about all of its instances at once, holds for calls.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ringfence_simulator::dev::customer::Customer;
use ringfence_simulator::dev::rest::{list, text};
use ringfence_simulator::dev::tables::item;
use ringfence_simulator::dev::wait::{Seen, until};
use ringfence_simulator::dev::{DevError, Result};
use serde_json::{Value, json};

use super::harness::{NOBODY, Town, in_town};

const OTHER: &str = "+12065550143";
const PUBLISHED_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Lists a number and answers the entry.
async fn put(customer: &Customer, place: &str, entry: Value) -> Result<Value> {
    customer.rest.post(&format!("/v1/{place}"), &entry).await
}

fn time(answer: &Value, pointer: &str) -> Result<Timestamp> {
    let text = text(answer, pointer)?;
    let unexpected = |err| DevError::Unexpected(format!("{text}: {err}"));
    text.parse().map_err(unexpected)
}

/// Waits until the customer's limiters find this about the number, and look for it.
async fn known(town: &Town, customer: &Customer, number: &str, on: &str) -> Result<()> {
    let me = customer.rest.get("/v1/me").await?;
    let keys = [
        format!("number|{}|{number}", text(&me, "/tenant/id")?),
        customer.arn().to_owned(),
    ];
    until(number, PUBLISHED_WITHIN, LOOK_EVERY, async || {
        let mut found = Vec::new();
        for key in &keys {
            let aws = town.stack.operator();
            let item = item(aws, &customer.region, "ringfence-policies", key).await?;
            let part = |name: &str| {
                let text = item.as_ref()?.get(name)?.get("S")?.as_str()?;
                serde_json::from_str::<Value>(text).ok()
            };
            found.push(
                part("entry")
                    .or_else(|| part("snapshot"))
                    .unwrap_or_default(),
            );
        }
        let is_known = found[0]["list"] == on && found[1]["has_listed_numbers"] == true;
        Ok(match is_known {
            true => Seen::Done(()),
            false => Seen::not_yet(format!("{found:?}")),
        })
    })
    .await
}

/// Waits until the history tells these outcomes of calls to a number, oldest first.
async fn history(customer: &Customer, number: &str, expected: &[&str]) -> Result<Vec<Value>> {
    until("the history", PUBLISHED_WITHIN, LOOK_EVERY, async || {
        let answer = customer.rest.get("/v1/decisions?limit=100").await?;
        let decisions = list(&answer, "/data")?.iter().rev();
        let of_number: Vec<Value> = decisions
            .filter(|decision| decision["customer_number"] == number)
            .cloned()
            .collect();
        let outcomes: Vec<&str> = of_number
            .iter()
            .map(|decision| decision["outcome"].as_str().unwrap_or_default())
            .collect();
        Ok(match outcomes == expected {
            true => Seen::Done(of_number.clone()),
            false => Seen::not_yet(format!("{outcomes:?}")),
        })
    })
    .await
}

#[tokio::test]
async fn a_blocked_number_never_rings_and_an_exempt_one_is_never_counted() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        put(
            &customer,
            "blocks",
            json!({ "number": NOBODY, "reason": "court order" }),
        )
        .await?;
        let exempt = json!({ "number": OTHER, "reason": "our own test line" });
        let exemption = put(&customer, "exemptions", exempt).await?;
        let exemption = format!("/v1/exemptions/{}", text(&exemption, "/id")?);
        known(town, &customer, NOBODY, "block").await?;
        known(town, &customer, OTHER, "exemption").await?;

        let call = customer.call("ada", NOBODY).await?;
        assert!(call.stopped_before_ringing(), "{call:?}");
        assert_eq!(call.told("CallAllowed"), Some("false"));
        assert_eq!(call.told("Reason"), Some("blocked"));
        let tasks = customer.sim.tasks(customer.arn()).await?;
        assert_eq!(tasks.len(), 1, "the agent is told: {tasks:?}");

        for number in 1..=6 {
            let call = customer.call("ada", OTHER).await?;
            assert!(call.rang(), "call {number}: {call:?}");
        }
        history(&customer, OTHER, &["exempt"; 6]).await?;
        let blocked = history(&customer, NOBODY, &["denied"]).await?;
        assert_eq!(blocked[0]["reason"], "blocked");

        // Nothing was charged meanwhile: the rule begins at its beginning.
        customer.rest.delete(&exemption).await?;
        known(town, &customer, OTHER, "none").await?;
        for number in 1..=5 {
            let call = customer.call("ada", OTHER).await?;
            assert_eq!(call.rang(), number < 5, "call {number}: {call:?}");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_block_ends_when_it_expires_and_not_before() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        // So that limiters look numbers up from the first call on.
        put(
            &customer,
            "blocks",
            json!({ "number": OTHER, "reason": "asked" }),
        )
        .await?;
        known(town, &customer, OTHER, "block").await?;
        // The control plane's clock is the only one that counts here.
        let third = json!({ "number": "+12065550144", "reason": "asked" });
        let now = time(&put(&customer, "blocks", third).await?, "/created_at")?;
        let expires_at = now + SignedDuration::from_secs(20);
        let entry = json!({ "number": NOBODY, "reason": "asked", "expires_at": expires_at });
        put(&customer, "blocks", entry).await?;
        known(town, &customer, NOBODY, "block").await?;
        assert!(!customer.call("ada", NOBODY).await?.rang());
        until(
            "the expiry",
            PUBLISHED_WITHIN,
            Duration::from_secs(1),
            async || {
                let call = customer.call("ada", NOBODY).await?;
                Ok(match call.rang() {
                    true => Seen::Done(()),
                    false => Seen::not_yet(format!("{call:?}")),
                })
            },
        )
        .await?;
        let decisions = until("the history", PUBLISHED_WITHIN, LOOK_EVERY, async || {
            let answer = customer.rest.get("/v1/decisions?outcome=allowed").await?;
            let allowed = list(&answer, "/data")?.to_vec();
            Ok(match allowed.is_empty() {
                true => Seen::not_yet("no allowed call"),
                false => Seen::Done(allowed),
            })
        })
        .await?;
        let rang_at = time(&decisions[0], "/at")?;
        assert!(rang_at >= expires_at, "{rang_at} is before {expires_at}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_tenant_wide_rule_counts_over_two_regions_exactly() {
    in_town(async |town| {
        let rest = town.tenant("Northwind").await?;
        let policy = json!({ "rules": [{
            "id": "all-centres", "per": ["customer"], "scope": "tenant",
            "limit": { "kind": "sliding", "max": 5, "window_seconds": 3600 },
        }] });
        rest.put("/v1/policies/default", &policy).await?;
        let mut centres = Vec::new();
        for (account, region) in [("111122220001", "us-east-1"), ("111122220002", "eu-west-2")] {
            let mut centre = town.customer(&rest, account, region).await?;
            centre.join(region).await?;
            centre.install("merge").await?;
            centre.installed().await?;
            centre.in_force("/v1/policies/default").await?;
            centres.push(centre);
        }
        let mut rang = Vec::new();
        for call in 0..8 {
            rang.push(centres[call % 2].call("ada", NOBODY).await?.rang());
        }
        assert_eq!(rang, [true, true, true, true, true, false, false, false]);
        Ok(())
    })
    .await;
}
