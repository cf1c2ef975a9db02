//! Agents are told once, sooner or later; and where they cannot be told, the decision does not claim it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::try_join_all;
use ringfence_simulator::dev::Result;
use ringfence_simulator::dev::customer::{ContactCentre, Customer};
use ringfence_simulator::dev::rest::list;
use ringfence_simulator::dev::wait::{Seen, until};
use serde_json::{Value, json};

use super::harness::{NOBODY, Town, in_town};

const LOOK_EVERY: Duration = Duration::from_millis(300);

/// A customer with these agents, whose second call to a number is denied.
async fn centre(town: &Town, agents: &[&str], without_tasks: &[&str]) -> Result<Customer> {
    let rest = town.tenant("Northwind").await?;
    let policy = json!({ "rules": [{
        "id": "once", "per": ["customer"], "limit": { "kind": "sliding", "max": 1, "window_seconds": 3600 },
    }] });
    rest.put("/v1/policies/default", &policy).await?;
    let centre = ContactCentre {
        account: "111122220001",
        region: "us-east-1",
        alias: "centre",
        queues: &[("Sales", "+12065550100")],
        agents,
        without_tasks,
    };
    let mut customer = Customer::open(&town.sim, &rest, &centre).await?;
    customer.join("northwind").await?;
    customer.install("merge").await?;
    customer.installed().await?;
    customer.in_force("/v1/policies/default").await?;
    Ok(customer)
}

async fn denials(customer: &Customer) -> Result<Vec<Value>> {
    let path = format!(
        "/v1/decisions?instance_id={}&outcome=denied&limit=100",
        customer.id
    );
    let page = customer.rest.get(&path).await?;
    Ok(list(&page, "/data")?.to_vec())
}

/// Waits until the notices of all denials stand like this, in order.
async fn notices_become(customer: &Customer, expected: &[&str], bound: u64) -> Result<()> {
    until(
        "the notices",
        Duration::from_secs(bound),
        LOOK_EVERY,
        async || {
            let mut seen: Vec<String> = denials(customer)
                .await?
                .iter()
                .map(|decision| decision["notice"].as_str().unwrap_or_default().to_owned())
                .collect();
            seen.sort();
            match seen == expected {
                true => Ok(Seen::Done(())),
                false => Ok(Seen::not_yet(format!("{seen:?}"))),
            }
        },
    )
    .await
}

#[tokio::test]
async fn fifty_agents_denied_at_once_are_all_told_in_the_end_and_none_twice() {
    in_town(async |town| {
        let names: Vec<String> = (0..50).map(|number| format!("agent-{number}")).collect();
        let agents: Vec<&str> = names.iter().map(String::as_str).collect();
        let customer = centre(town, &agents, &[]).await?;
        assert!(customer.call("agent-0", NOBODY).await?.rang());
        town.sim.post("quotas", &json!({ "enabled": true })).await?;
        let calls = try_join_all(agents.iter().map(|agent| customer.call(agent, NOBODY))).await?;
        for call in &calls {
            assert!(call.stopped_before_ringing(), "{call:?}");
        }
        let query = [("operation", "StartTaskContact"), ("limit", "10000")];
        let seen = town.sim.get("requests", &query).await?;
        let seen = seen
            .as_array()
            .or_else(|| seen["data"].as_array())
            .expect("a list of requests");
        let throttled = seen.iter().filter(|request| request["status"] == 429);
        assert!(throttled.count() > 0, "the quota was never met");

        notices_become(&customer, &["sent"; 50], 150).await?;
        let tasks = town.sim.tasks(customer.arn()).await?;
        let told: BTreeSet<&str> = tasks
            .iter()
            .filter_map(|task| task["attributes"]["AgentARN"].as_str())
            .collect();
        assert_eq!(
            (tasks.len(), told.len()),
            (50, 50),
            "one task for each agent"
        );
        let ids: BTreeSet<&str> = tasks
            .iter()
            .filter_map(|task| task["contact_id"].as_str())
            .collect();
        for decision in denials(&customer).await? {
            let id = decision["task_contact_id"].as_str().unwrap_or_default();
            assert!(ids.contains(id), "{decision}");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_notice_that_was_deferred_before_the_control_plane_fell_is_sent_once_it_stands_again() {
    in_town(async |town| {
        let customer = centre(town, &["ada"], &[]).await?;
        assert!(customer.call("ada", NOBODY).await?.rang());
        town.stack.kill_api().await?;
        let fault = json!({ "service": "connect", "operation": "StartTaskContact", "kind": "lost_response" });
        town.sim.post("faults", &fault).await?;
        assert!(customer.call("ada", NOBODY).await?.stopped_before_ringing());
        town.sim.delete("faults").await?;
        town.stack.restart_api().await?;
        notices_become(&customer, &["sent"], 30).await?;
        let tasks = town.sim.tasks(customer.arn()).await?;
        assert_eq!(tasks.len(), 1, "the limiter's task, whose answer was lost: {tasks:?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_decision_says_that_the_agents_queue_was_full() {
    in_town(async |town| {
        let customer = centre(town, &["ada"], &[]).await?;
        for number in 0..11 {
            let to = format!("+1206555{:04}", 100 + number);
            assert!(customer.call("ada", &to).await?.rang());
            assert!(customer.call("ada", &to).await?.stopped_before_ringing());
        }
        // An agent's own queue holds ten.
        let mut expected = vec!["queue_full"];
        expected.extend(["sent"; 10]);
        notices_become(&customer, &expected, 30).await?;
        let denials = denials(&customer).await?;
        let full = denials
            .iter()
            .find(|decision| decision["notice"] == "queue_full")
            .expect("the one");
        let newest = &denials[0];
        assert_eq!(full["contact_id"], newest["contact_id"], "the last to come");
        assert_eq!(full["outcome"], "denied");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_decision_says_that_the_agent_takes_no_tasks() {
    in_town(async |town| {
        let customer = centre(town, &["ada", "ben"], &["ben"]).await?;
        assert!(customer.call("ada", NOBODY).await?.rang());
        assert!(customer.call("ada", NOBODY).await?.stopped_before_ringing());
        assert!(customer.call("ben", NOBODY).await?.stopped_before_ringing());
        notices_become(&customer, &["no_task_channel", "sent"], 30).await?;
        let told = denials(&customer).await?;
        let without = told
            .iter()
            .find(|decision| decision["notice"] == "no_task_channel")
            .expect("the one");
        assert_eq!(without["agent_arn"], customer.agent("ben")?.arn.as_str());
        Ok(())
    })
    .await;
}
