//! One instance with hundreds of queues: each is covered and given back, and progress can be followed meanwhile.

use std::collections::BTreeSet;

use ringfence_simulator::dev::Result;
use ringfence_simulator::dev::customer::{ContactCentre, Customer};
use ringfence_simulator::dev::rest::list;
use serde_json::{Value, json};

use super::harness::in_town_of;

const QUEUES: usize = 200;

#[tokio::test]
async fn an_instance_with_two_hundred_queues_is_installed_and_given_back_whole() {
    let many = |settings: &mut ringfence_simulator::dev::stack::Settings| {
        settings.connect_rps = Some(100);
        settings.reconcile_period_seconds = 600;
    };
    in_town_of(many, async |town| {
        let rest = town.tenant("Northwind").await?;
        let names: Vec<String> = (1..=QUEUES)
            .map(|number| format!("Queue {number}"))
            .collect();
        let queues: Vec<(&str, &str)> = names
            .iter()
            .map(|name| (name.as_str(), "+12065550100"))
            .collect();
        let centre = ContactCentre {
            account: "111122220001",
            region: "us-east-1",
            alias: "centre",
            queues: &queues,
            agents: &["ada"],
            without_tasks: &[],
        };
        let mut customer = Customer::open(&town.sim, &rest, &centre).await?;
        for name in ["Queue 7", "Queue 150", "Queue 200"] {
            let flow = customer.own_whisper(&format!("Consent of {name}")).await?;
            let queue = customer.queue(name)?.id.clone();
            let mut config = customer.queue_config(&queue).await?;
            config["OutboundFlowId"] = json!(flow);
            customer.set_queue_config(&queue, &config).await?;
        }
        let before = configs(&customer).await?;
        customer.join("northwind").await?;
        customer.install("merge").await?;
        let under_way = customer
            .installation("the queues to be under way", |now| {
                let done = now["progress"]["queues_done"].as_u64().unwrap_or_default();
                Ok(done > 0 && now["progress"]["seconds_left"] != Value::Null)
            })
            .await?;
        let progress = &under_way["progress"];
        assert_eq!(progress["queues_total"], QUEUES, "{progress}");
        let installed = customer.installed().await?;
        assert_eq!(installed["progress"]["queues_done"], QUEUES);
        assert_eq!(list(&installed, "/queues")?.len(), QUEUES);
        let whispers: BTreeSet<String> = configs(&customer)
            .await?
            .into_iter()
            .map(|(_, config)| config["OutboundFlowId"].to_string())
            .collect();
        // One before Connect's default; the three whispers of the customer's own are three flows.
        assert_eq!(whispers.len(), 4, "{whispers:?}");
        customer.uninstall().await?;
        let after = configs(&customer).await?;
        let default = customer.default_outbound().await?;
        for ((queue, before), (_, after)) in before.iter().zip(&after) {
            let had = before["OutboundFlowId"].as_str().unwrap_or(&default);
            assert_eq!(after["OutboundFlowId"], had, "{queue}");
            assert_eq!(
                after["OutboundCallerIdNumberId"], before["OutboundCallerIdNumberId"],
                "{queue}"
            );
        }
        Ok(())
    })
    .await;
}

async fn configs(customer: &Customer) -> Result<Vec<(String, Value)>> {
    customer.queue_configs().await
}
