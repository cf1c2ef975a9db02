//! Clients of AWS that we did not write see in the instance what Ringfence says is there.

use ringfence_simulator::dev::customer::Customer;
use serde_json::Value;

use super::harness::{in_town, python, run};

const BROKEN_FLOW: &str = include_str!("python/broken_flow.py");

#[tokio::test]
async fn the_aws_command_line_lists_and_describes_what_was_installed() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        let list = [
            "connect",
            "list-contact-flows",
            "--instance-id",
            customer.connect_id(),
            "--output",
            "json",
        ];
        let flows = aws(&customer, &list).await;
        let summaries = flows["ContactFlowSummaryList"]
            .as_array()
            .expect("a list of flows");
        for (name, flow_type) in [
            ("Ringfence notice", "CONTACT_FLOW"),
            ("Ringfence outbound whisper", "OUTBOUND_WHISPER"),
        ] {
            let summary = summaries
                .iter()
                .find(|flow| flow["Name"] == name)
                .unwrap_or_else(|| panic!("{name}: {flows}"));
            assert_eq!(summary["ContactFlowType"], flow_type);
            let id = summary["Id"].as_str().expect("its id");
            let describe = [
                "connect",
                "describe-contact-flow",
                "--instance-id",
                customer.connect_id(),
                "--contact-flow-id",
                id,
            ];
            let flow = aws(&customer, &describe).await;
            assert_eq!(flow["ContactFlow"]["Status"], "PUBLISHED");
            assert_eq!(flow["ContactFlow"]["Tags"]["managed-by"], "ringfence");
            assert_eq!(
                flow["ContactFlow"]["Tags"]["ringfence-instance"],
                customer.id
            );
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_broken_flow_is_refused_with_its_problems() {
    in_town(async |town| {
        let rest = town.tenant("Northwind").await?;
        let customer = town.customer(&rest, "111122220001", "us-east-1").await?;
        let script = ["-c", BROKEN_FLOW, customer.connect_id()];
        let problems = run(&python(), &script, &environment(&customer), ".").await;
        let problems: Value = serde_json::from_str(&problems).expect("a list of problems");
        assert!(
            problems
                .as_array()
                .is_some_and(|problems| !problems.is_empty()),
            "{problems}"
        );
        Ok(())
    })
    .await;
}

async fn aws(customer: &Customer, args: &[&str]) -> Value {
    let program = python().replace("/python", "/aws");
    let printed = run(&program, args, &environment(customer), ".").await;
    serde_json::from_str(&printed).unwrap_or_else(|err| panic!("{printed}: {err}"))
}

fn environment(customer: &Customer) -> Vec<(String, String)> {
    customer
        .keys
        .environment(&customer.region, customer.sim.base())
}
