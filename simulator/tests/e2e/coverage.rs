//! Which calls the limiter never sees is told, with what to do.

use std::time::Duration;

use ringfence_simulator::dev::Result;
use ringfence_simulator::dev::customer::Customer;
use ringfence_simulator::dev::wait::{Seen, until};
use serde_json::{Value, json};

use super::harness::in_town;

/// Has the routing profiles read anew, and answers what was found.
async fn coverage(customer: &Customer) -> Result<Value> {
    let path = customer.path("/coverage");
    customer
        .rest
        .post(&customer.path("/coverage/refresh"), &json!({}))
        .await?;
    let (within, every) = (Duration::from_secs(30), Duration::from_millis(100));
    until("the coverage", within, every, async || {
        let now = customer.rest.get(&path).await?;
        Ok(match now["state"] == "read" {
            true => Seen::Done(now),
            false => Seen::not_yet(now.to_string()),
        })
    })
    .await
}

fn kinds(coverage: &Value) -> Vec<&str> {
    let ways = coverage["ways_round"].as_array().into_iter().flatten();
    ways.filter_map(|way| way["kind"].as_str()).collect()
}

#[tokio::test]
async fn queues_that_agents_can_dial_from_unlimited_are_found_and_ways_round_are_listed() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        let whole = coverage(&customer).await?;
        assert_eq!(whole["complete"], true, "{whole}");
        assert_eq!(whole["queues"].as_array().map(Vec::len), Some(2));
        for kind in [
            "external_transfers",
            "api_calls",
            "queued_callbacks",
            "limiter_unavailable",
        ] {
            assert!(kinds(&whole).contains(&kind), "{kind}: {whole}");
        }

        let sales = &customer.queue("Sales")?.id;
        customer
            .ask(&json!({ "queues": [sales], "prefix_filter": ["+1"] }))
            .await?;
        customer.installed().await?;
        // What is installed is told as it is now, whenever profiles were read.
        let part = customer.rest.get(&customer.path("/coverage")).await?;
        assert_eq!(part["queues"][0]["covered"], false, "{part}");
        let part = coverage(&customer).await?;
        assert_eq!(part["complete"], false);
        let first = &part["queues"][0];
        assert_eq!(
            (&first["name"], &first["covered"]),
            (&json!("Support"), &json!(false))
        );
        assert_eq!(first["reason"], "the installation does not name this queue");
        assert_eq!(
            first["whisper_flow_id"],
            customer.default_outbound().await?.as_str()
        );
        let by = &first["dialled_by"][0];
        assert_eq!(by["routing_profile_name"], "Basic Routing Profile");
        assert_eq!(by["default_outbound"], false);
        assert_eq!(part["queues"][1]["dialled_by"][0]["default_outbound"], true);
        assert!(kinds(&part).contains(&"prefix_filter"), "{part}");

        customer.uninstall().await?;
        let none = customer.rest.get(&customer.path("/coverage")).await?;
        assert_eq!(
            none["queues"][0]["reason"],
            "nothing is installed in this instance"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_permission_without_which_queues_cannot_be_found_is_named() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        let template = customer.template().await?;
        for action in [
            "connect:ListRoutingProfiles",
            "connect:DescribeRoutingProfile",
            "connect:ListRoutingProfileQueues",
        ] {
            let without = template.replace(&format!("{action}\n"), "connect:ListInstances\n");
            customer.deploy(&without).await?;
            let told = coverage(&customer).await?;
            assert_eq!(told["complete"], false, "{action}: {told}");
            let missing = &told["missing_permissions"][0];
            assert_eq!(missing["permission"], action, "{told}");
            assert!(
                missing["fix"]
                    .as_str()
                    .is_some_and(|fix| fix.contains(action))
            );
            assert!(
                !kinds(&told).is_empty(),
                "the ways round need no permission"
            );
        }
        Ok(())
    })
    .await;
}
